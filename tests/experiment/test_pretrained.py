"""Exported models: the best seed by validation, its card, and the same test decisions without training."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.judging import weights_of
from rc_vs_snn.experiment.pretrained import (
    best_runs,
    export,
    find_pretrained,
    judge_pretrained,
    stored_precision,
)
from rc_vs_snn.records import WEIGHTS, read_weights, write_weights
from rc_vs_snn.records.on_valid import valid_number

CPU = rv.Execution(device="cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    small = ["training.epochs=3", "models.rc-lstm.model.hidden=16", "models.rank-snn.model.hidden=16"]
    comparison = rv.load_preset("digits", small).with_seeds(0, 1)
    return rv.compare(comparison, tmp_path_factory.mktemp("runs"), CPU)


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("models") / "digits"
    return export(trained, out, CPU)


def test_the_best_seed_by_validation_is_kept(trained, exported):
    assert [folder.name for folder in exported] == ["rc-lstm", "rank-snn"]
    for folder in exported:
        kept = rv.read_record(folder)
        rivals = [record for record in trained if record.label == kept.label]
        best = max(valid_number(record, "valid_accuracy") for record in rivals)
        assert valid_number(kept, "valid_accuracy") == best


def test_a_run_counts_by_the_weights_that_it_kept(trained):
    def run(keep, *accuracies):
        entries = zip(trained[0].history, accuracies, strict=False)
        history = [{**entry, "valid_accuracy": accuracy} for entry, accuracy in entries]
        return replace(trained[0], history=history, config={**trained[0].config, "training": {"keep": keep}})

    for keep, taken in (("best", 0), ("last", 1)):
        rivals = [run(keep, 0.9, 0.5), run(keep, 0.4, 0.6)]
        assert list(best_runs(rivals).values()) == [rivals[taken]], keep


def test_judged_again_it_decides_as_recorded(exported, tmp_path):
    records = judge_pretrained(exported, tmp_path, CPU)
    assert [record.label for record in rv.find_records(tmp_path)] == ["RC-LSTM", "rank-SNN"]  # as judged
    for record, folder in zip(records, exported, strict=True):
        before = rv.read_record(folder)
        assert record.status == "done"
        assert record.history == []
        # what was exported is what was judged, to the last sample
        not_judged = {"train_seconds", "epochs_run"}
        for name in record.metrics.keys() - not_judged:
            assert record.metrics[name] == pytest.approx(before.metrics[name], nan_ok=True), name
        assert len(record.decisions()["id"]) == before.metrics["n_samples"]
        assert np.isfinite(record.trace().evidence).all()


def test_halved_weights_are_small_and_validate_the_same(exported):
    for folder in exported:
        card = (folder / "README.md").read_text(encoding="utf-8")
        size = (folder / "weights.safetensors").stat().st_size
        bits = 16 if "16 bits" in card else 32
        n_parameters = rv.read_record(folder).metrics["parameters"]
        assert n_parameters * bits / 8 <= size < n_parameters * bits / 8 + 4000


def test_export_tells_what_the_file_holds_and_not_what_the_run_had(trained, tmp_path):
    run = trained[0]
    # as if the run had read something else: a card that quotes the run would repeat it
    boasting = replace(run, metrics={**run.metrics, "accuracy": 1.0, "mean_step": 0.0})
    (folder,) = export([boasting], tmp_path, CPU)
    kept, again = rv.read_record(folder), rv.evaluate(rv.read_record(folder), CPU)
    assert kept.metrics["accuracy"] == again["accuracy"] < 1.0
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"| accuracy, all samples | {100 * again['accuracy']:.2f} % |" in card
    assert f"| {again['mean_step']:.3f} |" in card
    assert kept.metrics["train_seconds"] == run.metrics["train_seconds"]


def test_an_exported_model_exported_again_keeps_its_weights(exported, tmp_path):
    for folder in exported:
        (again,) = export([rv.read_record(folder)], tmp_path, CPU)
        assert (again / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
        before, after = rv.read_record(folder), rv.read_record(again)
        assert after.metrics.pop("neurobench") == before.metrics.pop("neurobench")
        assert after.metrics == pytest.approx(before.metrics, nan_ok=True)
        assert after.provenance["command"] == before.provenance["command"]


def test_precision_is_told_from_the_numbers_stored():
    third = np.array([1, 2], dtype=np.float32) / 3
    constant = np.full(4, 0.95, dtype=np.float32)
    rounded = third.astype(np.float16)
    steps = np.array([3, 4])
    assert stored_precision({"a": rounded, "steps": steps}) == "16 bits"
    assert stored_precision({"a": third, "beta": constant, "steps": steps}) == "32 bits"
    partly = {"a": third, "b": rounded.astype(np.float32), "beta": np.ones(3, dtype=np.float32)}
    assert stored_precision(partly) == "32 bits, 1 of 2 trained tensors rounded to 16 bits"


def test_weights_that_are_not_those_of_the_record_are_refused_everywhere(exported, tmp_path, capsys):
    model = tmp_path / "models" / "rc-lstm"
    shutil.copytree(exported[0], model)
    weights = read_weights(model / WEIGHTS)
    changed = {name: value + value.dtype.type(1) for name, value in weights.items()}  # the same architecture
    write_weights(model / WEIGHTS, changed)
    out = str(tmp_path / "out")
    for command in (["evaluate", str(model)], ["export", str(model), "--out", out],
                    ["compare", "--pretrained", str(model.parent), "--out", out]):  # fmt: skip
        assert main([*command, "--device", "cpu"]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "rc-lstm/weights.safetensors is damaged (its checksum is not" in line
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_what_was_only_judged_is_no_run_to_export(exported, tmp_path):
    (judged,) = judge_pretrained(exported[:1], tmp_path / "judged", CPU)
    with pytest.raises(rv.InputError, match="was not trained there"):
        export([judged], tmp_path / "models", CPU)


def test_weights_taken_from_a_model_stay_when_it_changes():
    model = torch.nn.Linear(2, 2)
    weights = weights_of(model)
    before = weights["bias"].copy()
    torch.nn.init.constant_(model.bias, 5.0)
    np.testing.assert_array_equal(weights["bias"], before)


def test_the_card_tells_numbers_and_origin(exported):
    for folder in exported:
        record, card = rv.read_record(folder), (folder / "README.md").read_text(encoding="utf-8")
        valid = rv.evaluate(record, CPU, split="valid")
        assert f"| validation accuracy | {100 * valid['accuracy']:.2f} % |" in card
        assert f"{100 * record.metrics['accuracy']:.2f} %" in card
        assert f"seed {record.seed}" in card
        assert f"`{record.provenance['command']}`" in card
        assert record.config["encoder"]["name"] in card


@pytest.mark.slow
def test_compare_pretrained_draws_the_figure(exported, tmp_path, capsys):
    arguments = [
        "compare",
        "--pretrained",
        str(exported[0].parent),
        "--out",
        str(tmp_path),
        "--device",
        "cpu",
    ]
    assert main(arguments) == 0
    assert (tmp_path / "figures" / "accuracy-vs-decision-step.png").is_file()
    assert not (tmp_path / "figures" / "training-history.png").exists()
    assert "RC-LSTM" in capsys.readouterr().out


def test_export_command_and_an_empty_folder(trained, tmp_path, capsys):
    folder = str(trained[0].folder)
    assert main(["export", folder, "--out", str(tmp_path / "kept"), "--device", "cpu"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "kept" / "rc-lstm")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(rv.InputError, match="rc-vs-snn export"):
        find_pretrained(tmp_path / "nothing")
    assert main(["compare", "--pretrained", str(tmp_path / "nothing")]) == 2
    assert main(["compare", "--pretrained", "--set", "training.epochs=1"]) == 2
    assert "trains nothing" in capsys.readouterr().err
