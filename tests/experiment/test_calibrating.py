"""Rules set on a run's validation split: in Python, by command, from stored traces and from weights."""

import json
import shutil

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.config import Part
from rc_vs_snn.decision import judged
from rc_vs_snn.decision.evidence import Cumulative, Gap, named
from rc_vs_snn.decision.rules import PerStep, Reading
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.calibrating import calibrate, part_from_text, read_rule, traces
from rc_vs_snn.experiment.judging import evaluate


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    comparison = rv.load_preset("digits").with_training(epochs=4)
    found = rv.compare(comparison, tmp_path_factory.mktemp("digits"), rv.Execution(device="cpu"))
    return {record.label: record for record in found}


@pytest.fixture(params=["RC-LSTM", "rank-SNN"])
def record(records, request):
    return records[request.param]


def test_a_run_keeps_both_traces_with_their_readouts(record):
    valid, test = record.trace("valid"), record.trace()
    assert valid.readouts is not None
    membrane = record.metrics["evidence"] == "membrane"
    assert np.array_equal(test.readouts, test.evidence) == membrane
    last = [entry for entry in record.history if entry["valid_accuracy"] is not None]
    rule = rv.FirstSpike(**{k: v for k, v in record.config["rule"].items() if k != "name"})
    accuracy = (judged(valid, rule).label == valid.labels).mean()
    assert accuracy == pytest.approx(max(entry["valid_accuracy"] for entry in last), abs=1e-9)


@pytest.mark.parametrize(
    "aim",
    [
        {"mean_step": 3.0}, {"loss": 1.0}, {"gap": 0.05}, {"alpha": 0.2},
        {"alpha": 0.2, "correction": "simultaneous"},
    ],
)  # fmt: skip
def test_each_aim_is_met_on_valid_and_the_rule_decides_alike_elsewhere(record, aim):
    found = calibrate(record, **aim)
    valid = record.trace("valid")
    at_end = (valid.evidence[:, -1].argmax(1) == valid.labels).mean()
    if "mean_step" in aim:
        assert found["valid"]["mean_step"] <= 3.0
    if "loss" in aim:
        assert found["valid"]["accuracy"] >= at_end - 0.01 - 1e-9
    rule, evidence = Part.of(found["rule"]), found.get("evidence")
    again = evaluate(record, rule=rule, evidence=evidence and Part.of(evidence))  # from the weights
    for name in ("accuracy", "mean_step", "coverage"):
        assert again[name] == pytest.approx(found["test"][name], abs=1e-12)


def test_the_gap_of_summed_readouts_is_what_top_k_reads(record):
    found = calibrate(record, gap=0.05)
    rule = Reading(PerStep(tuple(found["rule"]["thresholds"])), Cumulative("sum", "gap"))
    decision = judged(record.trace("valid"), rule)
    right = decision.label == record.trace("valid").labels
    assert right[decision.decided].mean() >= 0.9  # 5 % may turn wrong at each step


def test_other_evidence_is_calibrated_by_name_and_by_table(record):
    for evidence in (
        Part("entropy"),
        part_from_text('{ name = "cumulative", of = "entropy", pool = "mean" }', ""),
    ):
        found = calibrate(record, mean_step=4.0, evidence=evidence)
        assert found["evidence"] == evidence.to_table()
        assert found["valid"]["mean_step"] <= 4.0


def test_what_an_older_folder_lacks_is_made_from_its_weights(record, tmp_path):
    folder = shutil.copytree(record.folder, tmp_path / "older")
    (folder / "trace-valid.npz").unlink()
    older = rv.read_record(folder)
    with pytest.raises(InputError, match="holds no trace of valid"):
        older.trace("valid")
    for made, stored in zip(traces(older), traces(record), strict=True):
        assert np.array_equal(made.readouts, stored.readouts)
        assert np.array_equal(made.evidence, stored.evidence)
        assert np.array_equal(made.labels, stored.labels)


def test_a_rule_is_set_and_used_by_command(record, tmp_path, capsys):
    file = tmp_path / "rule.json"
    assert main(["calibrate", str(record.folder), "--loss", "1", "--out", str(file)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(file.read_text())
    assert main(["evaluate", str(record.folder), "--rule", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"] == found["test"]["accuracy"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give one aim of mean_step, loss, gap, alpha, got none"),
        (["--loss", "1", "--gap", "0.1"], "got loss, gap"),
        (["--loss", "100"], "a loss of accuracy is a share"),
        (["--mean-step", "99"], "must lie in"),
        (["--alpha", "0.1", "--evidence", "margin"], "leave out the evidence"),
        (["--loss", "1", "--evidence", "gut"], "unknown evidence 'gut'"),
        (["--loss", "1", "--evidence", "{ name = "], "is no TOML table"),
        (["--alpha", "0.0001"], "give more samples"),
    ],
)
def test_aims_out_of_reach_are_one_line(records, arguments, told, capsys):
    assert main(["calibrate", str(records["RC-LSTM"].folder), *arguments]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "no table 'rule'"),
        ("{", "cannot read the rule file"),
        ('{"rule": {"name": "first-spike"}, "rules": 1}', "unknown key 'rules'"),
        ('{"rule": 7}', "must be a name or a table"),
    ],
)
def test_a_rule_file_that_is_none_is_named(tmp_path, text, told):
    file = tmp_path / "rule.json"
    file.write_text(text)
    with pytest.raises(InputError, match=told):
        read_rule(file)


def test_a_rule_file_may_be_toml(tmp_path):
    file = tmp_path / "rule.toml"
    file.write_text('[rule]\nname = "first-spike"\nthreshold = 0.5\n[evidence]\nname = "margin"\n')
    assert read_rule(file) == (Part("first-spike", {"threshold": 0.5}), Part("margin"))


@pytest.mark.slow
def test_a_run_trains_and_is_judged_with_evidence_of_its_own(tmp_path):
    settings = ["evidence.name=margin", "rule.name=first-spike", "rule.threshold=0.3", "training.epochs=3"]
    found = rv.compare(rv.load_preset("digits", settings), tmp_path / "runs")
    for record in found:
        assert record.config["evidence"] == {"name": "margin"}
        assert record.metrics["evidence"] == "margin"
        trace = record.trace()
        again = judged(trace, Reading(rv.FirstSpike(0.3), registry_margin()))
        assert again.step.tolist() == record.decisions()["step"].tolist()
        assert again.decided.any()
    assert (
        rv.compare(rv.load_preset("digits", settings), tmp_path / "runs")[0].provenance == found[0].provenance
    )
    assert {path.suffix for path in rv.write_figures(found, tmp_path / "figures")} >= {".png", ".csv"}


def test_another_rule_does_not_inherit_the_runs_evidence(tmp_path):
    settings = ["evidence.name=margin", "rule.name=first-spike", "rule.threshold=0.3", "training.epochs=3"]
    (record, *_) = rv.compare(rv.load_preset("digits", settings), tmp_path / "runs")
    rule = Part("first-spike", {"threshold": 0.5})
    trace = record.trace()
    by_probability = judged(trace, Reading(rv.FirstSpike(0.5), named("probability")))
    assert by_probability.step.mean() < judged(trace, rv.FirstSpike(0.5)).step.mean()  # margins are smaller
    assert evaluate(record, rule=rule)["mean_step"] == by_probability.step.mean()


def registry_margin():
    from rc_vs_snn import registry

    return registry.evidences.build("margin", {})


def test_a_rule_with_its_own_evidence_refuses_another(tmp_path):
    settings = ["evidence.name=margin", "rule.name=fixed-step"]
    with pytest.raises(InputError, match="brings its own evidence"):
        rv.compare(rv.load_preset("digits", settings), tmp_path)


def test_gap_is_an_evidence_of_its_own():
    assert Gap().limits == (0.0, np.inf)
