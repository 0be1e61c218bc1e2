"""An interrupt during a compilation comes after it, once."""

import signal
import threading

import numba
import pytest
from numba.core import event

from rc_vs_snn.interrupts import interrupts_after_compilation


def test_an_interrupt_waits_for_the_outermost_compilation():
    with interrupts_after_compilation():
        event.start_event("numba:compile")
        event.start_event("numba:compile")
        signal.raise_signal(signal.SIGINT)
        event.end_event("numba:compile")
        with pytest.raises(KeyboardInterrupt):
            event.end_event("numba:compile")
        event.start_event("numba:compile")
        event.end_event("numba:compile")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_compiled_function_is_there_after_the_interrupt():
    @numba.njit
    def twice(x):
        return 2 * x

    class Interrupt(event.Listener):
        def on_start(self, _):
            signal.raise_signal(signal.SIGINT)

        def on_end(self, _):
            pass

    handler = signal.getsignal(signal.SIGINT)
    with interrupts_after_compilation(), event.install_listener("numba:compile", Interrupt()):
        with pytest.raises(KeyboardInterrupt):
            twice(2)
        assert twice(2) == 4
    assert signal.getsignal(signal.SIGINT) is handler


def test_other_threads_are_left_alone():
    done = []

    def run():
        with interrupts_after_compilation():
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]
