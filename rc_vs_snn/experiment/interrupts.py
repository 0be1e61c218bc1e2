"""Ctrl-C that never falls into numba: it waits until the interrupted code is our own again.

Raised while numba compiles, or in the callbacks of its machine code that box a result, a KeyboardInterrupt is
lost or comes out as another error, such as a SystemError "returned a result with an exception set".
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

RETRY_S = 0.01


@contextmanager
def interrupts_outside_numba() -> Iterator[None]:
    """Deliver interrupts only outside numba's code; in any but the main thread nothing changes.

    One that falls into numba is raised again after ``RETRY_S``, until it falls outside; more that fall there
    meanwhile join it, so that none comes later and disturbs the clearing up.
    """
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield  # ignored interrupts stay ignored, as in a shell's background job
        return

    held = threading.Event()

    def deliver(number: int, frame: FrameType | None) -> None:
        if not _in_numba(frame):
            before(number, frame)
        elif not held.is_set():
            held.set()
            later = threading.Timer(RETRY_S, raise_again, [number])
            later.daemon = True
            later.start()

    def raise_again(number: int) -> None:
        held.clear()
        signal.raise_signal(number)

    signal.signal(signal.SIGINT, deliver)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _in_numba(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in ("numba", "llvmlite"):
            return True
        frame = frame.f_back
    return False
