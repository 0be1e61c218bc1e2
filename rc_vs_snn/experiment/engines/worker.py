"""The process beside: takes calls from its parent, one after another, and ends when the parent is gone.

Started by ``processes``. Calls come by standard input; what is said about them goes to standard output. When
the input ends (the parent has closed it or is dead, however it died), a call that is underway is interrupted
as by a signal, so that it clears up; one that does not end within ``GRACE_S`` is ended by force.
"""

import _thread
import contextlib
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.interrupts import interrupts_outside_numba, signal_behind, stopped_by_signals

GRACE_S = 2.0
STARTED, LOG, RETRIED = "started", "log", "retried"
DONE, FAILED, ENDED = "done", "failed", "ended"
"""The last words of a call: its value, its exception, or why this process ends with it."""


def packed(value: Any) -> bytes:
    """Return a value as ``pickle.loads`` takes it elsewhere; a script's functions and classes go by value."""
    import joblib

    return pickle.dumps(joblib.wrap_non_picklable_objects(value, keep_wrapper=False))


def packed_call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """Return a call as another process takes it.

    Raises:
        InputError: it cannot be sent.
    """
    try:
        return packed((function, arguments))
    except Exception as error:  # whatever a plug-in's own pickling raises
        raise InputError(f"a plug-in cannot be sent to another process ({error}); use one job") from error


def serve() -> None:
    """Answer calls until there are no more, and end this process."""
    calls, answers = _take_streams()
    for name in ("SIGINT", "SIGHUP"):  # those of a terminal reach our parent too, which tells us what to do
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    arrived: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def say(kind: str, value: Any = None) -> None:
        # Told to stop while modules are imported, we can import none any more.
        answers.write(pickle.dumps((kind, value)) if kind == ENDED else packed((kind, value)))
        answers.flush()

    with contextlib.suppress(KeyboardInterrupt, OSError):  # told to stop, or nobody listens any more
        with stopped_by_signals(), interrupts_outside_numba():
            # Before anything heavy is imported, so that the parent's end is seen at any time.
            threading.Thread(target=_receive, args=(calls, arrived), daemon=True).start()
            while (call := arrived.get()) is not None and _answer(call, say):
                pass
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(0)  # to tear down an interpreter with torch in it takes seconds on a busy machine


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output; what a plug-in prints goes to standard error, it can read nothing."""
    calls, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return calls, answers


def _receive(calls: BinaryIO, arrived: "queue.SimpleQueue[bytes | None]") -> None:
    try:
        while True:
            arrived.put(pickle.load(calls))
    except (EOFError, OSError, pickle.UnpicklingError):
        arrived.put(None)
    _thread.interrupt_main(signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


def _answer(call: bytes, say: Callable[..., None]) -> bool:
    """Make one call and say what became of it; return whether this process can take another."""
    kind, value = outcome(call, say)
    try:
        say(kind, value)
    except OSError:
        raise
    except Exception as error:  # a value that cannot travel
        say(FAILED, portable(error))
    return kind != ENDED


def outcome(call: bytes, say: Callable[..., None]) -> tuple[str, Any]:
    """Make one call and return its last word."""
    try:
        function, arguments = pickle.loads(call)
        return DONE, function(*arguments, say)
    except KeyboardInterrupt as interrupt:
        return ENDED, f"its process was stopped by {(signal_behind(interrupt) or signal.SIGINT).name}"
    except SystemExit as stop:
        return FAILED, InputError(
            f"a plug-in called sys.exit({stop.code!r}); it must return or raise instead"
        )
    except Exception as error:
        return FAILED, portable(error)


def portable(error: Exception) -> Exception:
    """Return the error as it can be raised elsewhere, with where it was raised here."""
    where = "".join(traceback.format_exception(error))
    try:
        copy: Exception = pickle.loads(packed(error))
    except Exception:
        copy = RuntimeError(str(error))
    copy.add_note(f"in another process:\n{where}")
    return copy
