"""Events for TensorBoard, read back by its own reader."""

import dataclasses
import shutil
import sys

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment import TensorBoard, plan
from rc_vs_snn.records import layout

EventAccumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator"
).EventAccumulator

CPU = rv.Execution(device="cpu")
SMALL = ["--set", "training.epochs=2", "--set", "model.hidden=8", "--device", "cpu"]
NAMES = {
    "train_loss": "loss/train", "train_accuracy": "accuracy/train", "train_mean_step": "mean_step/train",
    "train_forced": "forced/train", "valid_accuracy": "accuracy/valid", "valid_mean_step": "mean_step/valid",
    "valid_forced": "forced/valid", "learning_rate": "learning_rate", "seconds": "seconds",
}  # fmt: skip


def scalars(folder):
    """Return every number in a folder of events, by tag: (step, value)."""
    read = EventAccumulator(str(folder)).Reload()
    return {tag: [(each.step, each.value) for each in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def assert_the_history(found, history):
    assert set(found) == set(NAMES.values())
    for name, tag in NAMES.items():
        assert [step for step, _ in found[tag]] == [entry["epoch"] for entry in history]
        assert [value for _, value in found[tag]] == pytest.approx([entry[name] for entry in history])


def test_two_files_of_a_run_are_never_of_one_second(tmp_path):
    """They are read in the order of their names, and within a second 10 comes before 9."""
    run = rv.load_preset("digits").planned()[0]
    for epochs in (3, 2, 1):
        with TensorBoard(tmp_path / "tb").watching(run, tmp_path / "run") as watch:
            for epoch in range(epochs):
                watch.epoch({"epoch": epoch, "train_loss": float(epochs)})
    assert len({path.name.split(".")[3] for path in (tmp_path / "tb/run").iterdir()}) == 3
    assert scalars(tmp_path / "tb/run") == {"loss/train": [(0, 1.0)]}


@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_each_run_has_a_folder_with_its_history(tmp_path, capsys, jobs):
    out, events = tmp_path / "runs", tmp_path / "runs/tensorboard"
    command = [
        "compare",
        *SMALL,
        "--formats",
        "png",
        "--out",
        str(out),
        "--tensorboard",
        str(events),
        "--jobs",
        jobs,
    ]
    assert main(command) == 0
    records = rv.find_records(out)
    assert sorted(path.name for path in events.iterdir()) == ["rank-snn-seed0", "rc-lstm-seed0"]
    for record in records:
        assert_the_history(scalars(events / record.folder.name), record.history)
        assert {path.name for path in record.folder.iterdir()} <= layout.FILES
        record.require_whole()
    written = {path: path.stat().st_mtime_ns for path in events.rglob("*") if path.is_file()}
    assert main(command) == 0  # finished runs are read, and write nothing
    assert {path: path.stat().st_mtime_ns for path in events.rglob("*") if path.is_file()} == written


def test_the_configuration_is_there_to_be_read(tmp_path):
    comparison = rv.load_preset("digits").with_training(epochs=1)
    one = dataclasses.replace(comparison, runs=comparison.runs[:1])
    rv.compare(one, tmp_path / "runs", CPU, progress=TensorBoard(tmp_path / "events"))
    read = EventAccumulator(str(tmp_path / "events/rc-lstm-seed0")).Reload()
    (text,) = read.Tensors("configuration/text_summary")
    assert '"name": "rc-lstm"' in text.tensor_proto.string_val[0].decode()


def test_a_run_that_is_made_again_hides_what_it_left(tmp_path, capsys):
    command = ["train", *SMALL, "--out", str(tmp_path / "run"), "--tensorboard", str(tmp_path / "events")]
    assert main(command) == 0
    longer = len(rv.read_record(tmp_path / "run").history)
    assert main([*command, "--set", "training.epochs=1", "--overwrite"]) == 0
    assert len(list((tmp_path / "events/run").iterdir())) == 2
    history = rv.read_record(tmp_path / "run").history
    assert len(history) < longer
    assert_the_history(scalars(tmp_path / "events/run"), history)


@pytest.mark.slow
def test_the_parts_of_a_plan_keep_apart(tmp_path, capsys, monkeypatch):
    """Both have runs of the same labels."""
    small = rv.load_preset("digits", ["model.hidden=8"]).with_training(epochs=1)
    parts = [plan.PlannedComparison(name, dataclasses.replace(small, name=name)) for name in ("one", "two")]
    monkeypatch.setattr(plan, "load_reproduction", lambda *given: plan.Plan(tuple(parts)))
    events = tmp_path / "events"
    command = ["reproduce", "mnist", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert main([*command, "--tensorboard", str(events)]) == 0
    made = {str(path.parent.relative_to(events)) for path in events.rglob("events.*")}
    runs = ("rc-lstm-seed0", "rank-snn-seed0")
    assert made == {f"{part}/{run}" for part in ("one", "two") for run in runs}


@pytest.mark.parametrize(
    ("out", "events"), [("runs/x", "runs"), ("runs/x", "runs/x"), ("runs/x", "runs/x/y"), ("x", "runs/..")]
)
def test_events_never_lie_in_a_run_folder_nor_around_one(tmp_path, capsys, out, events, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *SMALL, "--out", out, "--tensorboard", events]) == 2
    assert "would lie in a run folder or around" in capsys.readouterr().err
    assert not (tmp_path / out).exists()


def test_the_folder_of_the_runs_is_refused(tmp_path, capsys):
    out = tmp_path / "runs"
    command = ["compare", *SMALL, "--out", str(out), "--tensorboard", str(out), "--jobs", "2"]
    assert main(command) == 2
    assert f"such as {out / 'tensorboard'}" in capsys.readouterr().err
    assert not list(out.glob("[!.]*"))  # what was meant is there, and no more


def test_the_folder_of_a_finished_run_is_refused_for_the_events_of_others(tmp_path, capsys):
    out = tmp_path / "runs"
    command = ["compare", *SMALL, "--formats", "png", "--out", str(out)]
    assert main(command) == 0
    shutil.rmtree(out / "rank-snn-seed0")
    events = out / "rc-lstm-seed0" / "tensorboard"
    assert main([*command, "--tensorboard", str(events)]) == 2
    assert "would lie in a run folder" in capsys.readouterr().err
    assert not events.exists()


def test_what_cannot_be_written_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    command = ["train", *SMALL, "--out", str(tmp_path / "run"), "--tensorboard", str(tmp_path / "file")]
    assert main(command) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot write events for TensorBoard" in line
    assert not (tmp_path / "run").exists()


def test_without_tensorboard_the_extra_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    assert main(["train", *SMALL, "--out", str(tmp_path / "run"), "--tensorboard", str(tmp_path / "tb")]) == 2
    assert "pip install 'rc_vs_snn[tensorboard]'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_judging_trains_nothing_and_so_writes_no_events(capsys):
    assert main(["compare", "--pretrained", "models", "--tensorboard", "events"]) == 2
    assert "leave out --tensorboard" in capsys.readouterr().err
