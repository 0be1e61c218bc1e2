"""A run made again: equal to the bit here, and what differs is told."""

import json
import re
import shutil
from dataclasses import dataclass

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.rerunning import compared, rerun
from rc_vs_snn.records import read_weights
from rc_vs_snn.records.writing import write_json, write_weights

CPU = rv.Execution(device="cpu")
SMALL = ["training.epochs=1", "encoder.n_steps=4", "models.rc-lstm.model.hidden=8"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = rv.load_preset("digits", SMALL).runs[0]
    return rv.run(config, tmp_path_factory.mktemp("runs") / "run", CPU)


@pytest.fixture(scope="module")
def again(run, tmp_path_factory):
    return rerun(run, tmp_path_factory.mktemp("again") / "run")


def changed(run, folder, provenance=None, metrics=None):
    """Return a copy of a run in which something is written otherwise."""
    shutil.copytree(run.folder, folder)
    for name, changes in (("provenance.json", provenance), ("metrics.json", metrics)):
        table = json.loads((folder / name).read_text())
        write_json(folder / name, {**table, **(changes or {}), **({"files": {}} if name[0] == "p" else {})})
    return rv.read_record(folder)


def test_the_same_code_on_the_same_machine_makes_the_same_run(run, again):
    assert again.is_equal
    assert (again.origin, again.config, again.metrics, again.weights) == ((), (), (), {})
    assert again.first_epoch is None
    assert again.n_samples == run.metrics["n_samples"]
    assert set(again.otherwise.values()) == {0}
    np.testing.assert_array_equal(again.record.trace().evidence, run.trace().evidence)


def test_what_differs_is_told(run, again, tmp_path):
    provenance = {**run.provenance, "python": "3.0.0", "threads": 3}
    provenance["packages"] = {**provenance["packages"], "torch": "1.0"}
    other = changed(run, tmp_path / "other", provenance, {"accuracy": 0.25, "train_seconds": 1e6})
    weights = read_weights(other.folder / "weights.safetensors")
    name, first = next(iter(weights.items()))
    weights[name] = first + np.float32(0.5)
    write_weights(other.folder / "weights.safetensors", weights)
    found = compared(other, again.record)
    assert not found.is_equal
    here = again.record.provenance
    assert found.origin == (
        f"packages.torch: '1.0' -> '{here['packages']['torch']}'",
        f"python: '3.0.0' -> '{here['python']}'",
        "threads: 3 -> 1",
    )
    assert found.metrics == (f"accuracy: 0.25 -> {again.record.metrics['accuracy']!r}",)
    assert found.weights == {name: pytest.approx(0.5, rel=1e-3)}
    assert found.otherwise["any"] == 0


def test_decisions_that_fell_otherwise_are_counted(run, again, monkeypatch):
    columns = run.decisions()
    columns["label"] = columns["label"].copy()
    columns["step"] = columns["step"].copy()
    columns["label"][:3] += 1
    columns["step"][2:7] += 1
    monkeypatch.setattr(run.__class__, "decisions", lambda self: columns if self is run else DECISIONS(self))
    found = compared(run, again.record)
    assert (found.otherwise["label"], found.otherwise["step"], found.otherwise["any"]) == (3, 5, 7)
    assert not found.is_equal


DECISIONS = rv.Record.decisions


def test_other_samples_are_all_decided_otherwise(run, again, monkeypatch):
    columns = {name: column[:-1] for name, column in run.decisions().items()}
    monkeypatch.setattr(run.__class__, "decisions", lambda self: columns if self is run else DECISIONS(self))
    assert compared(run, again.record).otherwise == {"any": len(columns["id"])}


def test_the_first_epoch_that_went_otherwise_is_named(run, again):
    entry = {**run.history[0], "train_loss": 9.0, "seconds": 5.0}
    other = rv.Record(run.folder, run.config, [entry], run.metrics, run.provenance)
    assert compared(other, again.record).first_epoch == 0
    longer = rv.Record(run.folder, run.config, run.history * 2, run.metrics, run.provenance)
    assert compared(longer, again.record).first_epoch == 1


@pytest.mark.parametrize(
    ("provenance", "says"),
    [
        ({"made": "judged"}, "made elsewhere .*judge"),
        ({"made": "predictions"}, "made elsewhere .*judge"),
        ({"weights": "models/x"}, "nothing was trained there"),
        ({"export": {}}, "nothing was trained there"),
        ({"status": "failed", "reason": "x"}, "is a failed run"),
    ],
)
def test_what_was_not_trained_there_is_refused(run, tmp_path, provenance, says):
    other = changed(run, tmp_path / "other", {**run.provenance, **provenance})
    with pytest.raises(rv.InputError, match=says):
        rerun(other, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_run_is_not_made_again_over_itself(run):
    with pytest.raises(rv.InputError, match="is the run itself"):
        rerun(run, run.folder, replace=True)


@dataclass
class Mine:
    """A rule of a user's own."""

    threshold: float = 0.6

    def threshold_at(self, step, n_steps):
        return self.threshold


def test_code_that_a_run_names_runs_only_when_it_is_trusted(run, tmp_path):
    table = {**run.config, "rule": {"name": f"{__name__}:Mine"}}
    other = rv.Record(run.folder, table, run.history, run.metrics, run.provenance)
    with pytest.raises(rv.InputError, match="--trust"):
        rerun(other, tmp_path / "again")


def test_the_command_says_what_differs_and_whether_all_is_equal(run, tmp_path, capsys):
    out = tmp_path / "again"
    assert main(["rerun", str(run.folder), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    n_samples = run.metrics["n_samples"]
    assert lines == [
        "where it was made: the same", "configuration: the same", "metrics: the same",
        f"decisions: all {n_samples} the same", "weights: the same, to the bit", f"equal: {out}",
    ]  # fmt: skip
    assert main(["rerun", str(run.folder), "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    other = changed(run, tmp_path / "other", {**run.provenance, "python": "3.0.0"}, {"accuracy": 0.25})
    assert main(["rerun", str(other.folder), "--out", str(out), "--overwrite"]) == 1
    told = capsys.readouterr().out
    assert re.search(r"^where it was made:\n  python: '3.0.0' -> ", told)
    assert "metrics:\n  accuracy: 0.25 -> " in told
    assert told.splitlines()[-1] == f"not equal: {out}"
    assert main(["rerun", str(other.folder), "--out", str(out), "--overwrite", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["equal"] is False
