"""What is known of a run without its test split: what the validation of the kept weights said."""

import math
from typing import Any

from rc_vs_snn.records.reading import Record

ACCURACY, MEAN_STEP = "valid_accuracy", "valid_mean_step"


def valid_number(record: Record, name: str) -> float:
    """Return a number of the epoch whose weights were kept, from the history; NaN if there is none.

    Args:
        record: a run.
        name: as in the history, such as ``valid_accuracy``.
    """
    value = _kept(record).get(name)
    return math.nan if value is None else float(value)


def _kept(record: Record) -> dict[str, Any]:
    """Return the entry of the first epoch of best validation accuracy, or of the last where that is kept."""
    told = [entry for entry in record.history if entry[ACCURACY] is not None]
    if not told:
        return {}
    if record.config.get("training", {}).get("keep") == "last":
        return record.history[-1]
    return max(told, key=lambda entry: entry[ACCURACY])  # the first of equals, as training has it
