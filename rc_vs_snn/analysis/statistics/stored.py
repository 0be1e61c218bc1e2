"""What statistics read of a run folder beside its test trace."""

from pathlib import Path

import numpy as np

from rc_vs_snn.analysis.groups import FinishedRun
from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.errors import DamagedError

VALID_TRACE = "trace-valid.npz"


def decision_of(run: FinishedRun) -> Decision:
    """Return what the run's own rule decided about the test samples, in the order of its trace.

    Raises:
        InputError: the file is missing or damaged, or about other samples than the trace.
    """
    columns = run.record.decisions()
    if not np.array_equal(columns.get("id", np.empty(0)), run.trace.ids):
        raise DamagedError(f"{run.record.folder}: decisions and trace are not of the same samples; run again")
    return Decision(**{name: columns[name] for name in ("label", "step", "decided", "tied", "evidence")})


def valid_trace(folder: Path) -> Trace | None:
    """Return the trace of valid that a run folder keeps, or None.

    Raises:
        InputError: it is damaged.
    """
    path = folder / VALID_TRACE
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Trace(**{name: stored[name] for name in stored.files})
    except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy, each its own way
        raise DamagedError(f"{path} is damaged ({error}); run again, or delete it") from error
