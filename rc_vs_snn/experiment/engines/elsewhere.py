"""A call in a worker process that is not ours: of joblib, or of Dask."""

import contextlib
import io
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rc_vs_snn.experiment.engines.worker import FAILED, LOG, STARTED, outcome, packed, portable

BATCHES_EVERY_S = 0.2
"""How often a running training tells of its last batch: nobody reads faster, and a net is in between."""

_alone = threading.Lock()


def outcome_elsewhere(
    call: bytes, paths: Sequence[str], say: Callable[..., None], *, lines: bool
) -> tuple[str, Any]:
    """Make one call in a worker and return its last word.

    torch's generators and threads are the process's: where a worker has several threads, one call waits for
    the other.

    Args:
        call: of ``packed_call``.
        paths: where the command finds modules.
        say: tells the command, by a kind and a value.
        lines: whether what the call prints is told, too, as ``LOG``.
    """
    with _alone:
        sys.path += [path for path in paths if path not in sys.path]
        say(STARTED)
        with _told(say) if lines else contextlib.nullcontext():
            kind, value = outcome(call, _thinned(say))
    try:
        packed(value)
    except Exception as error:
        return FAILED, portable(error)
    return kind, value


def _thinned(say: Callable[..., None]) -> Callable[..., None]:
    last = -BATCHES_EVERY_S

    def thinned(kind: str, value: Any = None) -> None:
        nonlocal last
        if kind == "batch":
            now = time.monotonic()
            if now - last < BATCHES_EVERY_S:
                return
            last = now
        say(kind, value)

    return thinned


@contextlib.contextmanager
def _told(say: Callable[..., None]) -> Iterator[None]:
    """Tell every line that Python code prints or warns of."""
    out = _Lines(say)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            yield
        finally:
            out.end()


class _Lines(io.TextIOBase):
    def __init__(self, say: Callable[..., None]) -> None:
        self.say, self.rest = say, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self.rest = (self.rest + text).split("\n")
        for line in lines:
            self.say(LOG, line)
        return len(text)

    def end(self) -> None:
        """Tell what stands behind the last end of a line."""
        if self.rest:
            self.write("\n")
