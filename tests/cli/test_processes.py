"""Commands whose processes are told to end, are killed, or meet another command in their folder."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main, making
from rc_vs_snn.experiment import locks

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks for processes in /proc")

ENDLESS = 100_000
SMALL = ("models.rc-lstm.model.hidden=8", "models.rank-snn.model.hidden=8")
LSTM, SNN = ".rc-lstm-seed0.partial/*@*", ".rank-snn-seed0.partial/*@*"


def command(name, out, *more, epochs=1, **epochs_of):
    """Return a command line that makes small runs."""
    settings = [*SMALL, f"training.epochs={epochs}"]
    settings += [f"models.{model.replace('_', '-')}.training.epochs={n}" for model, n in epochs_of.items()]
    line = [part for setting in settings for part in ("--set", setting)]
    line += ["--formats", "png"] if name == "compare" else []
    return [sys.executable, "-m", "rc_vs_snn", name, *line, "--out", str(out), *more]


def appeared(out, pattern, within_s=60):
    """Return the first path of that pattern, as soon as there is one."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := list(out.glob(pattern)):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} in {out}")


def owner(partial):
    """Return the id of the process that makes a run."""
    return int(partial.name.partition("@")[0])


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(autouse=True)
def _hang_up_is_not_ignored():
    """Under nohup SIGHUP is ignored, and would be by the commands; a handler of ours does not reach them."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@contextlib.contextmanager
def started(line):
    """Start a command, and leave no process behind."""
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.slow
def test_a_signal_to_two_jobs_is_one_line_and_leaves_nothing(tmp_path, name, code):
    out = tmp_path / "runs"
    with started(command("compare", out, "--jobs", "2", epochs=ENDLESS)) as process:
        workers = [owner(appeared(out, pattern)) for pattern in (LSTM, SNN)]
        assert os.getpid() not in workers
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=30)
    assert process.returncode == code, err
    assert err == (
        f"rc-vs-snn: interrupted ({name}); finished runs are kept, the same command goes on from there\n"
    )
    assert not any(is_alive(pid) for pid in workers)
    assert [path.name[:6] for path in out.iterdir()] == [".plan-"]


def test_a_signal_to_one_training_is_one_line_and_leaves_nothing(tmp_path):
    with started(command("train", tmp_path / "run", epochs=ENDLESS)) as process:
        appeared(tmp_path, "**/.*.partial/*@*")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 143, err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    with started(command("compare", tmp_path, "--jobs", "2", epochs=ENDLESS)) as process:
        workers = [owner(appeared(tmp_path, pattern)) for pattern in (LSTM, SNN)]
        assert all(is_alive(pid) for pid in workers)
        process.kill()
        killed = time.monotonic()
        while any(is_alive(pid) for pid in workers) and time.monotonic() < killed + 5:
            time.sleep(0.05)
    assert not any(is_alive(pid) for pid in workers)
    assert sorted(path.name[:6] for path in tmp_path.iterdir()) == [".lock", ".plan-"]


def test_a_killed_worker_fails_its_run_only_and_the_same_command_trains_it_again(
    tmp_path, capfd, monkeypatch
):
    monkeypatch.setattr(making, "draw_finished", lambda found, out, options: None)
    killer = threading.Thread(target=lambda: os.kill(owner(appeared(tmp_path, SNN)), signal.SIGKILL))
    killer.start()
    code = main(command("compare", tmp_path, "--jobs", "2", "--retries", "0", epochs=2, rank_snn=ENDLESS)[3:])
    killer.join()
    err = capfd.readouterr().err
    assert code == 1, err
    assert "Traceback" not in err
    why = "rank-SNN seed 0: failed: its process was killed (SIGKILL; out of memory?)"
    assert err.splitlines()[-1] == f"rc-vs-snn: {why}; the same command trains it again"
    lstm, snn = (rv.read_record(tmp_path / name) for name in ("rc-lstm-seed0", "rank-snn-seed0"))
    assert (lstm.status, snn.status) == ("done", "failed")
    assert snn.reason == "its process was killed (SIGKILL; out of memory?)"
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["rank-snn-seed0", "rc-lstm-seed0"]

    made = (lstm.folder / "provenance.json").stat()
    again = rv.compare(rv.load_preset("digits", [*SMALL, "training.epochs=2"]), tmp_path)
    assert [record.status for record in again] == ["done", "done"]
    assert (lstm.folder / "provenance.json").stat() == made


@pytest.mark.parametrize("name", [pytest.param("compare", marks=pytest.mark.slow), "train"])
def test_a_second_command_in_the_same_folder_is_told_who_is_there(tmp_path, capsys, monkeypatch, name):
    monkeypatch.setattr(locks, "PATIENCE_S", 0.2)
    out = tmp_path / "runs"
    with started(command(name, out, epochs=ENDLESS)) as process:
        appeared(tmp_path, "**/.*.partial/*@*")
        assert main(command(name, out, "--overwrite", epochs=1)[3:]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"rc-vs-snn: error: {out} is in use by process {process.pid} on ")
        assert err.count("\n") == 1
        assert process.poll() is None
        process.kill()
        process.wait()
    assert main(command(name, out, epochs=1)[3:]) == 0


@pytest.mark.slow
def test_a_terminal_that_goes_away_ends_the_command(tmp_path):
    ours, theirs = pty.openpty()
    line = command("compare", tmp_path, "--jobs", "2", epochs=ENDLESS)
    with subprocess.Popen(
        line, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    ) as process:  # fmt: skip
        os.close(theirs)
        workers = []
        for pattern in (LSTM, SNN):
            workers.append(owner(appeared(tmp_path, pattern)))
        os.close(ours)
        assert process.wait(timeout=30) == 129
    assert not any(is_alive(pid) for pid in workers)


def test_a_plug_in_that_leaves_is_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "leaving.py").write_text("import sys\n\n\ndef encoder(samples, seed=0):\n    sys.exit(0)\n")
    (tmp_path / "own.toml").write_text(
        'extends = "digits"\n\n[encoder]\nname = "leaving:encoder"\n'
    )  # fmt: skip
    assert main(["compare", "--config", str(tmp_path / "own.toml"), "--out", str(tmp_path / "runs")]) == 2
    err = capsys.readouterr().err
    assert "encoder 'leaving:encoder' raised SystemExit: 0" in err
    assert err.count("\n") == 1


def test_a_failed_run_alone_is_exit_code_1(tmp_path, capsys):
    wild = ["training.learning_rate=1e5", "training.clip_norm=0", "objective.beta=1e30"]
    more = [part for setting in wild for part in ("--set", setting)]
    code = main(command("train", tmp_path / "run", *more, epochs=3)[3:])
    status = json.loads((tmp_path / "run" / "provenance.json").read_text())["status"]
    assert (code, status) == (1, "failed")
    assert "the same command trains it again" in capsys.readouterr().err
