"""What statistics read of a run folder beside its test trace."""

import numpy as np

from rc_vs_snn.analysis.groups import FinishedRun
from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.errors import DamagedError
from rc_vs_snn.records import TRACE, VALID_TRACE, Record


def has_trace(run: FinishedRun) -> bool:
    """Return whether a run holds its test trace; decisions made elsewhere, and some copies, do not."""
    return (run.record.folder / TRACE).is_file()


def decision_of(record: Record, trace: Trace) -> Decision:
    """Return what a run's own rule decided about the test samples, in the order of its trace.

    Args:
        record: a finished run.
        trace: its test trace, ``record.trace()``.

    Raises:
        InputError: the file is missing or damaged, or about other samples than the trace.
    """
    columns = record.decisions()
    if not np.array_equal(columns.get("id", np.empty(0)), trace.ids):
        raise DamagedError(f"{record.folder}: decisions and trace are not of the same samples; run again")
    return Decision(**{name: columns[name] for name in ("label", "step", "decided", "tied", "evidence")})


def valid_trace(record: Record) -> Trace | None:
    """Return the trace of valid that a run keeps, or None.

    Raises:
        InputError: it is damaged.
    """
    return record.trace("valid") if (record.folder / VALID_TRACE).is_file() else None
