"""Means over seeds of what is known without the test split, and the best by it."""

import math
from collections.abc import Sequence

from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import Interval, mean_interval
from rc_vs_snn.records.on_valid import valid_number


def valid_interval(group: Group, name: str) -> Interval:
    """Return the mean of `valid_number` over the runs of a group, with its interval."""
    return mean_interval([valid_number(run.record, name) for run in group.runs])


def best_first(accuracies: Sequence[float], steps: Sequence[float]) -> int | None:
    """Return the place of the highest accuracy, of equals the one that decides soonest; None without any."""
    places = [place for place, accuracy in enumerate(accuracies) if not math.isnan(accuracy)]
    return max(places, key=lambda place: (accuracies[place], -steps[place], -place), default=None)
