"""One command at a time in a folder, whatever became of the one before."""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

import rc_vs_snn as rv
from rc_vs_snn.experiment import leases, locks
from rc_vs_snn.experiment.locks import locked_folder, locked_run

HOLD = """
import sys, time
from pathlib import Path
from rc_vs_snn.experiment.locks import locked_folder
with locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def holding(folder, seconds=60.0):
    """Start a process that holds the folder, and wait until it does."""
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE_S", 0.2)


def test_the_second_is_told_who_holds_the_folder(tmp_path, impatient):
    with holding(tmp_path / "out") as other:
        with pytest.raises(rv.InputError) as caught, locked_folder(tmp_path / "out"):
            pass
        other.kill()
    text = str(caught.value)
    assert f"process {other.pid} on {socket.gethostname()} since 20" in text
    assert "choose another --out" in text


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_killed_owner_leaves_nothing_to_clear_up(tmp_path, impatient):
    with holding(tmp_path / "out") as other:
        other.send_signal(signal.SIGKILL)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".lock"]
    with locked_folder(tmp_path / "out"):
        pass
    assert list(tmp_path.rglob("*")) == [tmp_path / "out"]


def test_an_owner_that_is_about_to_end_is_waited_for(tmp_path):
    started = time.monotonic()
    with holding(tmp_path, 1.0), locked_folder(tmp_path):
        assert time.monotonic() - started >= 1.0


def test_two_runs_in_one_folder_are_apart_and_one_run_is_not(tmp_path, impatient):
    with locked_run(tmp_path / "one"), locked_run(tmp_path / "two"), locked_folder(tmp_path):
        with pytest.raises(rv.InputError, match=f"process {os.getpid()} "), locked_run(tmp_path / "one"):
            pass
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", ".one.lock", ".two.lock"]
    assert list(tmp_path.iterdir()) == []


def test_what_was_written_meanwhile_stays(tmp_path):
    with locked_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "file").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "file"]


def test_a_place_where_nothing_can_be_written_needs_no_lock(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with locked_folder(tmp_path / "file" / "runs"):
        pass
    assert (tmp_path / "file").read_text() == "not a folder"


WITHOUT_LOCKS = """
import sys, time, socket
from pathlib import Path
from rc_vs_snn.experiment import leases, locks
def none(*_, **__):
    raise OSError(int(sys.argv[2]), "no locks here")
leases._ask_for_lock = none
host = socket.gethostname()
socket.gethostname = lambda: sys.argv[3] or host
locks.BEAT_S = 0.05
with locks.locked_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(20)
"""


def holding_without_locks(folder, number=errno.ENOLCK, host=""):
    """Start a process that holds the folder where the system has no locks, perhaps on another machine."""
    command = [sys.executable, "-c", WITHOUT_LOCKS, str(folder), str(number), host]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_where_the_system_has_no_locks_a_live_owner_is_seen_and_a_killed_one_too(tmp_path, impatient, number):
    with holding_without_locks(tmp_path, number) as other:
        with pytest.raises(rv.InputError, match=f"process {other.pid} on "), locked_folder(tmp_path):
            pass
        other.kill()
        # It was killed, and nobody has waited for it yet: it is gone all the same.
        with locked_folder(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_an_owner_on_another_machine_is_believed_as_long_as_it_touches_its_lock(tmp_path, impatient):
    lock = tmp_path / ".lock"
    with holding_without_locks(tmp_path, host="node-b") as other:
        os.utime(lock, (0, 0))
        deadline = time.monotonic() + 5
        while lock.stat().st_mtime == 0:  # until the next beat
            assert time.monotonic() < deadline
        with (
            pytest.raises(rv.InputError, match=r"on node-b since .*that has died"),
            locked_folder(tmp_path),
        ):
            pass
        other.kill()
        other.wait()
        with pytest.raises(rv.InputError, match="on node-b"), locked_folder(tmp_path):
            pass  # for all that is known here it may live
        long_ago = time.time() - leases.STALE_S - 5
        os.utime(lock, (long_ago, long_ago))
        with locked_folder(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


def test_who_was_taken_over_is_told_before_its_run_appears(tmp_path):
    with locked_run(tmp_path / "run"):
        locks.require_held(tmp_path / "run")
        file = tmp_path / ".run.lock"
        text = json.loads(file.read_text())
        file.write_text(json.dumps({**text, "host": "node-b", "pid": 7, "token": "another"}))
        with pytest.raises(rv.InputError, match="was taken over by process 7 on node-b"):
            locks.require_held(tmp_path / "run")
    assert file.exists()  # it is the other's


def test_the_holder_of_a_run_is_known_without_disturbing_it(tmp_path):
    assert locks.holder(tmp_path / "run") is None
    with locked_run(tmp_path / "run"):
        assert locks.holder(tmp_path / "run").owner.pid == os.getpid()
    assert locks.holder(tmp_path / "run") is None
    assert list(tmp_path.iterdir()) == []
