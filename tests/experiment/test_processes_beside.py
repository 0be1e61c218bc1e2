"""Processes beside: they tell everything, one that dies ends its own call only, none outlives its parent."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.engines import DONE, ENDED, STARTED, results
from rc_vs_snn.experiment.engines.processes import side_by_side

posix = pytest.mark.skipif(os.name != "posix", reason="signals")


def collected(function, calls, jobs=2):
    """Return what was told of each call, in order."""
    told = {}
    for number, kind, value in side_by_side(function, calls, jobs):
        told.setdefault(number, []).append((kind, value))
    return told


def doubled(number, say):
    say("half", number)
    return 2 * number


def test_what_calls_say_and_return_is_told_in_order():
    told = collected(doubled, [(number,) for number in range(3)])
    assert told == {n: [(STARTED, None), ("half", n), (DONE, 2 * n)] for n in range(3)}


def test_no_process_makes_two_calls_at_once_and_an_idle_one_is_used_again():
    told = collected(lambda say: os.getpid(), [()] * 4)
    pids = [each[-1][1] for each in told.values()]
    assert os.getpid() not in pids
    assert 1 <= len(set(pids)) <= 2


def test_what_a_script_defines_can_be_called():
    offset = 40
    assert results(lambda number: number + offset, [(1,), (2,)], jobs=2) == [41, 42]


def test_what_a_call_prints_and_reads_disturbs_nothing(capfd):
    def chatty(say):
        print("hello")
        return sys.stdin.read()

    assert collected(chatty, [()], jobs=1)[0][-1] == (DONE, "")
    assert "hello" in capfd.readouterr().err


def test_an_exception_is_raised_here_with_where_it_was_raised():
    def failing(say):
        raise ZeroDivisionError("by nothing")

    with pytest.raises(ZeroDivisionError, match="by nothing") as caught:
        collected(failing, [()])
    assert "in failing" in caught.value.__notes__[0]


def test_an_exception_that_cannot_travel_is_told_all_the_same():
    class NeedsTwoError(Exception):
        def __init__(self, one, two):
            super().__init__(f"{one} and {two}")

    def failing(say):
        raise NeedsTwoError("this", "that")

    with pytest.raises(RuntimeError, match="this and that"):
        collected(failing, [()])


def test_leaving_the_process_is_one_line():
    with pytest.raises(InputError, match=r"called sys\.exit\(7\)"):
        collected(lambda say: sys.exit(7), [()])


def test_what_cannot_be_sent_is_one_line():
    with pytest.raises(InputError, match="cannot be sent to another process"):
        collected(lambda lock, say: None, [(threading.Lock(),)])


def test_an_interrupt_of_a_call_is_the_end_of_that_call_only():
    def interrupted(number, say):
        if number == 0:
            raise KeyboardInterrupt
        return number

    told = collected(interrupted, [(0,), (1,), (2,)], jobs=1)
    assert told[0][-1] == (ENDED, "its process was stopped by SIGINT")
    assert [told[1][-1], told[2][-1]] == [(DONE, 1), (DONE, 2)]


@posix
def test_a_killed_process_takes_down_its_own_call_only():
    def work(number, say):
        if number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        if number == 1:
            time.sleep(1.5)
        return number

    told = collected(work, [(0,), (1,), (2,), (3,)])
    assert told[0][-1] == (ENDED, "its process was killed (SIGKILL; out of memory?)")
    assert [told[number][-1] for number in (1, 2, 3)] == [(DONE, 1), (DONE, 2), (DONE, 3)]
    with pytest.raises(InputError, match=r"killed \(SIGKILL"):
        results(lambda: os.kill(os.getpid(), signal.SIGKILL), [()], jobs=2)


def test_a_process_that_ends_by_itself_says_with_what():
    told = collected(lambda say: os._exit(9), [()])
    assert told[0][-1] == (ENDED, "its process ended by itself with exit code 9")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pid, within_s):
    deadline = time.monotonic() + within_s
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def waits_and_clears_up(path, say):
    try:
        say("pid", os.getpid())
        for _ in range(6000):
            time.sleep(0.01)
    finally:
        path.write_text("cleared up")


needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks for processes in /proc")


@needs_proc
def test_closing_interrupts_the_calls_which_clear_up(tmp_path):
    paths = [tmp_path / "one", tmp_path / "two"]
    with contextlib.closing(side_by_side(waits_and_clears_up, [(path,) for path in paths], 2)) as events:
        pids = []
        while len(pids) < 2:
            _, kind, value = next(events)
            pids += [value] if kind == "pid" else []
    assert not any(is_alive(pid) for pid in pids)
    assert [path.read_text() for path in paths] == ["cleared up"] * 2


STUBBORN = """
import time
from rc_vs_snn.experiment.engines.processes import side_by_side
def stubborn(say):
    import os
    say("pid", os.getpid())
    while True:
        try:
            while True:
                time.sleep(0.01)
        except BaseException:
            pass
for _, kind, value in side_by_side(stubborn, [()], 1):
    if kind == "pid":
        print(value, flush=True)
"""


@needs_proc
def test_a_process_ends_after_its_parent_even_if_its_call_does_not():
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)
    assert gone(pid, within_s=5)
