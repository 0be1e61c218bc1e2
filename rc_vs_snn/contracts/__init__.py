"""Plain values that cross the boundaries of the toolkit. No torch here: analysis reads these too.

Axes: ``time, batch, channel`` (T, B, C) and ``class`` (K). A step index is 0-based and called ``step``.
"""

from typing import Literal

from rc_vs_snn.contracts.judged import Decided, Decision, Trace
from rc_vs_snn.contracts.samples import SPLITS, SampleKind, Samples, Sensor, SplitName, Splits
from rc_vs_snn.contracts.unread import Unread

EvidenceKind = Literal["probability", "sigmoid", "membrane"]

__all__ = [
    "SPLITS", "Decided", "Decision", "EvidenceKind", "SampleKind", "Samples", "Sensor", "SplitName", "Splits",
    "Trace", "Unread",
]  # fmt: skip
