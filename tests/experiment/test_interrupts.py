"""An interrupt that falls into numba comes after it, once, and as a KeyboardInterrupt."""

import signal
import threading
import time

import numba
import numpy as np
import pytest
from numba.core import event, serialize

from rc_vs_snn.experiment.interrupts import (
    RETRY_S,
    Stopped,
    interrupts_outside_numba,
    signal_behind,
    stopped_by_signals,
)


def call_and_wait(function, argument):
    """Call, and leave a held interrupt the time to come."""
    function(argument)
    time.sleep(100 * RETRY_S)


def test_outside_numba_an_interrupt_comes_at_once():
    handler = signal.getsignal(signal.SIGINT)
    with interrupts_outside_numba(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is handler


def test_a_function_being_compiled_is_there_after_the_interrupt():
    @numba.njit
    def double(x):
        return 2 * x

    @numba.njit
    def twice(x):
        return double(x)

    class Interrupt(event.Listener):
        def on_start(self, _):
            signal.raise_signal(signal.SIGINT)

        def on_end(self, _):
            pass

    with interrupts_outside_numba():
        with event.install_listener("numba:compile", Interrupt()), pytest.raises(KeyboardInterrupt):
            call_and_wait(twice, 2)
        assert len(twice.signatures) == len(double.signatures) == 1
        time.sleep(5 * RETRY_S)  # a second one would come here
        assert twice(2) == 4


def test_an_interrupt_while_results_are_boxed_is_no_other_error(monkeypatch):
    @numba.njit
    def three(x):
        return x + 1, x + 2, x + 3

    class Interrupting(dict):
        asked = 0

        def __getitem__(self, key):
            self.asked += 1
            signal.raise_signal(signal.SIGINT)
            return super().__getitem__(key)

    three(np.zeros(3))
    # The machine code asks numba for the type of every array that it returns, and numba looks it up here.
    memo = Interrupting(serialize._unpickled_memo)
    monkeypatch.setattr(serialize, "_unpickled_memo", memo)
    with interrupts_outside_numba(), pytest.raises(KeyboardInterrupt):
        call_and_wait(three, np.zeros(3))
    time.sleep(5 * RETRY_S)  # a second one would come here
    assert memo.asked == 3


def test_other_threads_are_left_alone():
    done = []

    def run():
        with interrupts_outside_numba():
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done == [True]


def test_ignored_interrupts_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts_outside_numba():
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


ENDING = [number for number in (signal.SIGTERM, getattr(signal, "SIGHUP", None)) if number is not None]


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_to_end_is_an_interrupt_that_tells_which(number):
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt) as caught, stopped_by_signals(), interrupts_outside_numba():
            signal.raise_signal(number)
        assert signal_behind(caught.value) == number
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("other", [signal.SIG_IGN, lambda *_: None])
def test_a_signal_that_somebody_handles_or_ignores_is_left_to_them(other):
    before = signal.signal(signal.SIGTERM, other)
    try:
        with stopped_by_signals(), interrupts_outside_numba():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is other
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_signal_behind_an_error_is_found():
    def failed_while_clearing_up(error):
        try:
            try:
                raise error
            finally:
                raise OSError("the terminal has gone")
        except OSError as found:
            return found

    assert signal_behind(failed_while_clearing_up(Stopped(signal.SIGTERM))) == signal.SIGTERM
    assert signal_behind(failed_while_clearing_up(KeyboardInterrupt())) == signal.SIGINT
    assert signal_behind(failed_while_clearing_up(ValueError())) is None
