"""How runs stand is read from the disk alone, whoever makes them."""

import contextlib
import json
import os
import socket
import time
from dataclasses import asdict

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.locks import locked_run
from rc_vs_snn.experiment.standing import status
from rc_vs_snn.records import Result, atomic_folder, write_run
from rc_vs_snn.records.owners import Owner
from rc_vs_snn.records.plans import Meant, read_plan, write_plan
from rc_vs_snn.records.underway import Teller, read_stages

PARTS = {name: {"name": "x"} for name in ("dataset", "encoder", "model", "rule", "objective")}


def made(folder, label="A", seed=0, **marker):
    """Write the folder of a run that took 10 s."""
    facts = {"schema_version": 2, "status": "done", "seconds": 10.0, **marker}
    done = facts["status"] == "done"
    numbers = dict.fromkeys(("accuracy", "mean_step", "n_samples", "n_steps"), 1) | {"evidence": "membrane"}
    with atomic_folder(folder) as working:
        if done:
            for name in ("trace.npz", "decisions.parquet"):
                (working / name).write_bytes(b"whatever")
        weights = {"w": np.zeros(3, np.float32)} if done else {}
        result = Result(numbers if done else {}, weights)
        write_run(working, {"label": label, "seed": seed, **PARTS}, [], facts, result)
    return folder


def meant(*names, label="A", epochs=4):
    return [Meant(name, label, seed, epochs) for seed, name in enumerate(names)]


def left_behind(folder, epoch, epochs=4, took=6.0, owner="999999999@node-z"):
    """Leave what a process leaves that was killed in the middle of a run."""
    working = folder.parent / f".{folder.name}.partial" / owner
    working.mkdir(parents=True)
    stage = {"label": "A", "seed": 0, "epoch": epoch, "epochs": epochs, "started": 1e9, "told": 1e9 + took}
    working.with_name(f"{owner}.json").write_text(json.dumps(stage))


@contextlib.contextmanager
def running(folder, epoch, took=6.0):
    """Hold a run that has come so far."""
    with locked_run(folder):
        left_behind(folder, epoch, took=took, owner=Owner.of_this_process().tag)
        yield


def states(folder):
    return {run.folder.name: run.state for run in status(folder).runs}


def test_every_state_is_told(tmp_path):
    out = tmp_path / "out"
    write_plan(out, meant("a", "b", "c", "d", "e", "f"))
    made(out / "a")
    made(out / "b", status="failed", reason="the loss became nan")
    made(out / "c")
    (out / "c" / "weights.safetensors").write_bytes(b"short")
    left_behind(out / "d", epoch=3)
    with running(out / "e", epoch=2):
        found = status(tmp_path)
    assert {run.folder.name: run.state for run in found.runs} == {
        "a": "done", "b": "failed", "c": "damaged", "d": "interrupted", "e": "running", "f": "waiting"
    }  # fmt: skip
    by_name = {run.folder.name: run for run in found.runs}
    assert by_name["b"].reason == "the loss became nan"
    assert "checksum" in by_name["c"].reason
    assert (by_name["d"].epoch, by_name["d"].epochs) == (3, 4)
    at = by_name["e"]
    assert (at.epoch, at.epochs, at.pid, at.host) == (2, 4, os.getpid(), socket.gethostname())
    assert at.since == "2001-09-09T01:46:40+00:00"
    # e needs as long for 2 epochs as it took for 2, the others that are to come 10 s each; one at a time
    assert found.seconds_left == pytest.approx(6 + 3 * 10)


def test_a_run_that_is_made_again_is_running_and_one_that_was_killed_then_interrupted(tmp_path):
    made(tmp_path / "a", status="failed", reason="x")
    with running(tmp_path / "a", epoch=1):
        assert states(tmp_path) == {"a": "running"}
    assert states(tmp_path) == {"a": "interrupted"}


def test_a_run_that_was_to_be_replaced_and_was_not_is_still_done(tmp_path):
    made(tmp_path / "a")
    left_behind(tmp_path / "a", epoch=1)
    assert states(tmp_path) == {"a": "done"}


def test_what_killed_owners_leave_is_told_from_what_live_ones_do(tmp_path):
    """A lock that a kill has left is no run; a part of one whose process is gone was interrupted."""
    made(tmp_path / "a")
    gone = {**asdict(Owner.of_this_process()), "pid": 999999999, "start": "1", "since": "2026", "token": "t"}
    (tmp_path / ".b.lock").write_text(json.dumps(gone))
    (tmp_path / ".c.lock").write_text(json.dumps(gone))
    left_behind(tmp_path / "c", epoch=1)
    assert states(tmp_path) == {"a": "done", "c": "interrupted"}


def test_several_plans_in_one_folder_are_all_meant(tmp_path):
    write_plan(tmp_path, meant("a", "b"))
    write_plan(tmp_path, meant("b", "c"))
    write_plan(tmp_path, meant("a", "b"))  # the other shard of the same comparison
    assert len(list(tmp_path.glob(".plan-*"))) == 2
    assert states(tmp_path) == {"a": "waiting", "b": "waiting", "c": "waiting"}


PLAN = '{"schema_version": 1, "runs": [%s]}'


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema_version": 9}', PLAN % "1", PLAN % '{"folder": "../a"}']
)
def test_a_damaged_plan_means_nothing(tmp_path, text):
    (tmp_path / ".plan-0.json").write_text(text)
    assert read_plan(tmp_path / ".plan-0.json") == []


def test_two_runs_at_once_take_half_as_long_but_no_less_than_the_longest(tmp_path):
    names = ["a", "b", "c", "d", "e", "f"]
    write_plan(tmp_path, meant(*names))
    made(tmp_path / "a")
    with running(tmp_path / "b", epoch=3), running(tmp_path / "c", epoch=3):  # 6 s for 3 epochs: 2 s yet
        assert status(tmp_path).seconds_left == pytest.approx((2 + 2 + 3 * 10) / 2)
    for name in "def":
        made(tmp_path / name)
    (tmp_path / ".b.partial").rename(tmp_path / "gone-b")
    (tmp_path / ".c.partial").rename(tmp_path / "gone-c")
    with running(tmp_path / "b", epoch=1, took=30.0), running(tmp_path / "c", epoch=3):
        assert status(tmp_path).seconds_left == pytest.approx(90)


def test_nobody_can_tell_how_long_the_first_run_takes(tmp_path):
    write_plan(tmp_path, meant("a", "b"))
    assert status(tmp_path).seconds_left is None
    with running(tmp_path / "a", epoch=2, took=8.0):  # by its own epochs so far: 16 s a run
        assert status(tmp_path).seconds_left == pytest.approx(8 + 16)


def test_a_whole_tree_of_folders_is_read_and_figures_are_no_runs(tmp_path):
    for part in ("one", "two"):
        made(tmp_path / part / "a")
        (tmp_path / part / "figures").mkdir()
        (tmp_path / part / "figures" / "x.png").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = status(tmp_path)
    assert [run.folder.relative_to(tmp_path).as_posix() for run in found.runs] == ["one/a", "two/a"]
    assert [(run.label, run.seed) for run in found.runs] == [("A", 0)] * 2
    assert [run.folder.name for run in status(tmp_path / "one" / "a").runs] == ["a"]


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_where_no_run_is_nor_is_meant_that_is_said(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(rv.InputError, match=r"(does not exist|holds no run)"):
        status(tmp_path / name)


def test_progress_is_told_seldom_and_read_whole(tmp_path, monkeypatch):
    working = tmp_path / ".a.partial" / "5@here"
    working.mkdir(parents=True)
    now = [100.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    teller = Teller(working, "A", 3, 10)
    for n_done, at in ((1, 100.5), (2, 103.0), (3, 104.0)):
        now[0] = at
        teller.epoch(n_done)
    (stage,) = read_stages(tmp_path / "a")
    assert (stage.epoch, stage.epochs, stage.started, stage.told, stage.seed) == (2, 10, 100.0, 103.0, 3)
    (working.with_name("6@there.json")).write_text('{"label": "A"}')  # of another version
    assert read_stages(tmp_path / "a") == [stage]
    assert read_stages(tmp_path / "b") == []


def test_the_command_says_it_in_a_line_and_a_table_and_by_its_exit_code(tmp_path, capsys):
    write_plan(tmp_path, meant("a", "b"))
    made(tmp_path / "a")
    assert main(["status", str(tmp_path)]) == 3
    summary, empty, head, *rows = capsys.readouterr().out.splitlines()
    assert summary == "1 of 2 runs done, 1 waiting; about 10 s left with 1 at once"
    assert (empty, head.split()) == ("", ["run", "state"])
    assert [row.split() for row in rows] == [["a", "done"], ["b", "waiting"]]
    made(tmp_path / "b", status="failed", reason="two\nlines")
    assert main(["status", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].split() == ["b", "failed", "two", "lines"]
    assert main(["status", str(tmp_path / "a")]) == 0
    assert main(["status", str(tmp_path / "absent")]) == 2
    capsys.readouterr()
    assert main(["status", str(tmp_path), "--format", "json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["done"] == told["counts"]["failed"] == 1
    assert [run["state"] for run in told["runs"]] == ["done", "failed"]


def test_of_many_runs_those_that_need_no_look_are_counted(tmp_path, capsys):
    write_plan(tmp_path, meant(*(f"run-{number}" for number in range(70))))
    made(tmp_path / "run-3", status="failed", reason="x")
    assert main(["status", str(tmp_path)]) == 3
    assert len(capsys.readouterr().out.splitlines()) == 1 + 1 + 2
    assert main(["status", str(tmp_path), "--all"]) == 3
    assert len(capsys.readouterr().out.splitlines()) == 1 + 1 + 71
