"""Axes of shares, and how much of them is worth drawing."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from rc_vs_snn.analysis.intervals import Interval


def percent_axis(axes: Axes, axis: str = "y") -> None:
    """Label an axis of shares in per cent."""
    getattr(axes, f"{axis}axis").set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.5g} %"))


def accuracy_window(
    drawn: np.ndarray, operating: Sequence[Interval], reach: float = 6.0
) -> tuple[float, float]:
    """Return the accuracy range worth drawing, (bottom, top).

    Near the top, models differ by fractions of a per cent that an axis from 0 would hide. The
    window reaches down to the lowest value drawn, but no further than to ``reach`` times the errors of
    the worst operating point; the CSV beside the figure holds what lies below. It reaches up to the
    highest value or bar drawn, but not beyond 100 %.

    Args:
        drawn: every accuracy of the figure; NaN is ignored.
        operating: the accuracies of the operating points.
        reach: how many times the errors of the worst of them.
    """
    finite = drawn[np.isfinite(drawn)]
    ends = [
        (point.mean - (point.half_width or 0), point.mean + (point.half_width or 0)) for point in operating
    ]
    worst_error = max(1 - min(point.mean for point in operating), 0.005)
    bottom = max(float(finite.min()), 1 - reach * worst_error)
    top = min(max(float(finite.max()), *(high for _, high in ends)), 1.0)
    bottom = min(bottom, top - 0.01, *(low for low, _ in ends))
    margin = 0.07 * (top - bottom)  # half a marker
    return bottom - margin, top + margin
