"""One command at a time in a folder, whatever became of the one before."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

import rc_vs_snn as rv
from rc_vs_snn.experiment import locks
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


def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch):
    def none(lock):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks, "_lock", none)
    with pytest.warns(UserWarning, match="cannot be locked"), locked_folder(tmp_path):
        pass
