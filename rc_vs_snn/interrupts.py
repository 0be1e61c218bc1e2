"""Ctrl-C while numba compiles: held until the compilation is over, then delivered.

Raised in the middle, a KeyboardInterrupt can fall into a callback of the compiler, where it is lost or
comes out as another error.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core import event


class _Hold(event.Listener):
    def __init__(self) -> None:
        self._depth, self._pending, self._before = 0, False, signal.getsignal(signal.SIGINT)

    def on_start(self, _: event.Event) -> None:
        if self._depth == 0:
            self._before = signal.signal(signal.SIGINT, self._note)
        self._depth += 1

    def on_end(self, _: event.Event) -> None:
        self._depth -= 1
        if self._depth == 0:
            signal.signal(signal.SIGINT, self._before)
            if self._pending:
                self._pending = False
                signal.raise_signal(signal.SIGINT)

    def _note(self, *_: Any) -> None:
        self._pending = True


@contextmanager
def interrupts_after_compilation() -> Iterator[None]:
    """Hold interrupts while numba compiles; in any but the main thread nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with event.install_listener("numba:compile", _Hold()):
        yield
