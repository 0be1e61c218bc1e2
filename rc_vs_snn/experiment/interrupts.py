"""Being told to stop: Ctrl-C, SIGTERM and SIGHUP end a command alike, and never inside numba.

Raised while numba compiles, or in the callbacks of its machine code that box a result, a KeyboardInterrupt is
lost or comes out as another error, such as a SystemError "returned a result with an exception set".
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

RETRY_S = 0.01
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopped(KeyboardInterrupt):
    """This process was told to end by another signal than Ctrl-C's.

    Attributes:
        signal: which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


def signal_behind(error: BaseException | None) -> signal.Signals | None:
    """Return the signal that an interrupt came from, or during whose clearing up another error was raised.

    A terminal that has gone cannot be written to while the progress bars are taken down.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    if isinstance(error, Stopped):
        return error.signal
    return signal.SIGINT if error else None


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise ``Stopped`` instead of ending the process on the spot.

    In any but the main thread nothing changes. An ignored signal stays ignored (nohup ignores SIGHUP), one
    that somebody else handles is left to them.
    """
    ours = _in_main_thread()
    taken = [number for number in ENDING if ours and signal.getsignal(number) is signal.SIG_DFL]

    def stop(number: int, _: FrameType | None) -> None:
        raise Stopped(number)

    for number in taken:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def interrupts_outside_numba() -> Iterator[None]:
    """Deliver interrupts only outside numba's code; in any but the main thread nothing changes.

    One that falls into numba is raised again after ``RETRY_S``, until it falls outside; more that fall there
    meanwhile join it, so that none comes later and disturbs the clearing up.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, *ENDING)}
    # Ignored ones stay ignored, as in a shell's background job; one without a handler ends the process.
    before = {number: found for number, found in handlers.items() if callable(found) and _in_main_thread()}
    held = threading.Event()

    def deliver(number: int, frame: FrameType | None) -> None:
        if not _in_numba(frame):
            before[number](number, frame)
        elif not held.is_set():
            held.set()
            later = threading.Timer(RETRY_S, raise_again, [number])
            later.daemon = True
            later.start()

    def raise_again(number: int) -> None:
        held.clear()
        signal.raise_signal(number)

    for number in before:
        signal.signal(number, deliver)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _in_numba(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] in ("numba", "llvmlite"):
            return True
        frame = frame.f_back
    return False
