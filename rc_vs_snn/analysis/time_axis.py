"""The axes of decision time, in steps from 0 or in milliseconds of input, and how an axis is spaced.

A step is 0-based, and 0 has no logarithm: on a logarithmic axis of steps a step lies at the logarithm of the
number of steps seen by then, ``log10(step + 1)``, and is still named by its 0-based number. An axis of
milliseconds is one of input seen, which is never 0, and is logarithmic as it stands.
"""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import ArrayLike

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import Interval
from rc_vs_snn.errors import InputError

MOST_TICKS = 8


def require_durations(groups: Sequence[Group]) -> None:
    """Refuse milliseconds unless every group's steps have a duration.

    Raises:
        InputError: naming those whose data have no time.
    """
    timeless = [group.label for group in groups if group.step_ms is None]
    if timeless:
        raise InputError(
            f"times in ms need a duration of a step, and the steps of {', '.join(timeless)} have none (no "
            "step_ms); draw in steps, or leave these runs out"
        )


def in_ms() -> bool:
    """Return whether decision times are to be told in milliseconds."""
    return style.options().time == "ms"


def when(rows: Table, steps: np.ndarray) -> np.ndarray:
    """Return where 0-based steps lie on an axis of time: at themselves, or at the milliseconds seen by then.

    Args:
        rows: of one label, with its facts.
        steps: 0-based steps or means of them.
    """
    return (np.asarray(steps) + 1) * _step_ms(rows) if in_ms() else np.asarray(steps)


def spread(rows: Table, half_widths: np.ndarray) -> np.ndarray:
    """Return half widths in steps as half widths on an axis of time."""
    return half_widths * _step_ms(rows) if in_ms() else half_widths


def each(rows: Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return where the mean steps of rows of any labels lie on an axis of time, and their half widths.

    Args:
        rows: with their facts.
        name: the column of the mean steps.
    """
    steps, widths = rows[name], rows[f"{name}_half_width"]
    return ((steps + 1) * rows["step_ms"], widths * rows["step_ms"]) if in_ms() else (steps, widths)


def moment(rows: Table, step: Interval) -> Interval:
    """Return a mean step with its interval as they lie on an axis of time."""
    if not in_ms():
        return step
    wide = None if step.half_width is None else step.half_width * _step_ms(rows)
    return Interval((step.mean + 1) * _step_ms(rows), wide, step.n, step.unit)


def spelt(rows: Table, step: Interval) -> str:
    """Return "step 2.31" or "46 ms"."""
    at = moment(rows, step)
    return f"{at.spell(0)} ms" if in_ms() else f"step {at.spell(2)}"


def name(*, mean: bool = True, note: str = "0-based") -> str:
    """Return what an axis of time is called.

    Args:
        mean: whether it shows means.
        note: what is to be known of steps.
    """
    text = "Input seen at the decision (ms)" if in_ms() else f"Decision step ({note})"
    return f"Mean {text[0].lower()}{text[1:]}" if mean else text


def _step_ms(rows: Table) -> float:
    found = rows.distinct("step_ms") if "step_ms" in rows.columns else []
    if len(found) != 1 or np.isnan(found[0]):
        raise InputError("times in ms need one duration of a step, and these rows have none; draw in steps")
    return float(found[0])


def set_range(axes: Axes, low: float, high: float) -> None:
    """Space a horizontal axis of time as the options ask, and show a range of it.

    Args:
        axes: where.
        low: the earliest moment to be seen, as `when` gives it.
        high: the latest.
    """
    if is_log():
        _log(axes, low, high, 0.0 if in_ms() else 1.0)
    else:
        margin = 0.04 * (high - low) + 0.01
        axes.set_xlim(low - margin, high + margin)


def is_log() -> bool:
    """Return whether an axis of time is to be logarithmic."""
    return style.options().xscale == "log"


def _log(axes: Axes, low: float, high: float, offset: float) -> None:
    """Space an axis by ``log10(value + offset)``, with ticks at 0, 1, 2, 5, 10 and so on."""

    def forth(values: ArrayLike) -> np.ndarray:
        return np.log10(np.maximum(np.asarray(values, np.float64) + offset, 1e-12))

    def back(places: ArrayLike) -> np.ndarray:
        return np.power(10.0, np.asarray(places, np.float64)) - offset

    first, last = float(forth(low)), float(forth(high))
    margin = 0.04 * (last - first) + 0.005
    axes.set_xscale("function", functions=(forth, back))
    axes.set_xlim(float(back(first - margin)), float(back(last + margin)))
    axes.xaxis.set_major_locator(FixedLocator(_ticks(low, high, forth)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _ticks(low: float, high: float, forth: Callable[[ArrayLike], np.ndarray]) -> list[float]:
    """Return round numbers in a range, none closer to the next than an eighth of the axis."""
    steps = [digit * 10.0**power for power in range(-3, 10) for digit in (1, 2, 5)]
    inside = [value for value in (0.0, *steps) if low <= value <= high]
    least = float(forth(high) - forth(low)) / MOST_TICKS
    ticks: list[float] = []
    for value in inside:
        if not ticks or forth(value) - forth(ticks[-1]) >= least:
            ticks.append(value)
    return ticks
