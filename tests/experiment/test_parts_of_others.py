"""Rules, evidence and metrics that are not ours, wherever a run is judged, kept or drawn again."""

import json
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn import registry
from rc_vs_snn.cli import main
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.calibrating import calibrate

FILES = {
    "blank.py": "class Blank:\n    def threshold_at(self, step, n_steps):\n        return 1.0\n\n\n"
    "ready = Blank()\n\n\ndef function(step, n_steps):\n    return 1.0\n",
    "drawn.py": "from rc_vs_snn.analysis.figures import training_history\n\n"
    "Own = training_history.TrainingHistory\nready = Own()\n\n\ndef function(table):\n    pass\n",
}


@dataclass(frozen=True)
class Share:
    """The share of samples decided at step 0."""

    def __call__(self, trace, decision):
        return float((decision.step == 0).mean())


@pytest.fixture
def share(monkeypatch):
    monkeypatch.setattr(registry.metrics, "_factories", {**registry.metrics._factories, "at-once": Share})


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    small = ["training.epochs=2", "model.hidden=8"]
    comparison = rv.load_preset("digits", small).add("margin", evidence="margin", rule="first-spike")
    return rv.compare(comparison, tmp_path_factory.mktemp("runs"), rv.Execution(device="cpu"))[-1]


@pytest.fixture
def files(tmp_path, monkeypatch):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_model_on_another_evidence_is_kept_with_a_card_that_names_it(record, tmp_path):
    assert record.metrics["evidence"] == "margin"
    assert main(["export", str(record.folder), "--out", str(tmp_path / "kept")]) == 0  # was a KeyError
    assert "Its evidence is the `margin`." in (tmp_path / "kept/margin/README.md").read_text()


def test_a_rule_that_decides_nothing_at_some_steps_is_evaluated(record, tmp_path, capsys):
    rule = tmp_path / "rule.json"
    thresholds = [*["never"] * 3, *[0.1] * 6, "never"]
    rule.write_text(json.dumps({"rule": {"name": "per-step", "thresholds": thresholds}}))
    assert main(["evaluate", str(record.folder), "--rule", str(rule)]) == 0  # was no JSON: Infinity
    told = json.loads(capsys.readouterr().out)
    assert told["thresholds"] == ["never", "never"]
    assert told["mean_step"] >= 3


def test_metrics_of_others_are_in_all_that_is_judged_again(record, share):
    again = rv.evaluate(record, rule=rv.Part("fixed-step"))
    assert again["at_once"] == 1
    assert list(rv.evaluate(record, rule=rv.Part("fixed-step", {"step": 2})).values()).count(0.0) >= 1
    found = calibrate(record, mean_step=0.0)
    for split in ("valid", "test"):
        assert found[split]["at_once"] == found[split]["share_decided_at_step0"] > 0
    assert found["valid"]["at_once"] == 1


@pytest.mark.parametrize("kind", ["Own", "ready"])
def test_a_figure_named_by_its_path_is_drawn_under_its_own_name(record, files, kind):
    written = rv.write_figures([record], files / "out", only=[f"drawn:{kind}"])
    assert {path.name for path in written} >= {f"{kind}.png", f"{kind}.svg", f"{kind}.csv"}


@pytest.mark.parametrize(
    ("kind", "path", "what"),
    [
        ("figures", "drawn:function", "an object with draw(table)"),
        ("rules", "blank:function", "an object with threshold_at(step, n_steps)"),
        ("evidences", "blank:ready", "an object with step(readout, state)"),
    ],
)
def test_what_is_no_part_of_the_kind_is_refused_by_its_interface(files, kind, path, what):
    with pytest.raises(InputError, match=re.escape(f"'{path}' is no {kind[:-1]}, which is {what}")):
        getattr(registry, kind).build(path, {})


@pytest.mark.parametrize("path", ["blank:Blank", "blank:ready"])
def test_a_rule_is_named_by_its_path_as_a_class_or_an_object(files, path):
    rule = registry.rules.build(path, {})
    assert rule.threshold_at(0, 5) == 1.0
    assert math.isfinite(np.sum([rule.threshold_at(step, 5) for step in range(5)]))
