"""Exported models: the best seed by validation, its card, and the same test decisions without training."""

import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment.judging import weights_of
from rc_vs_snn.experiment.pretrained import (
    best_valid,
    default_folder,
    export,
    find_pretrained,
    judge_pretrained,
)

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
        assert best_valid(kept) == max(best_valid(record) for record in rivals)


def test_judged_again_it_decides_as_recorded(exported, tmp_path):
    records = judge_pretrained(exported, tmp_path, CPU)
    for record, folder in zip(records, exported, strict=True):
        before = rv.read_record(folder)
        assert record.status == "done"
        assert record.history == []
        # weights in 16 bits may move a sample that sits on the threshold
        assert record.metrics["accuracy"] == pytest.approx(before.metrics["accuracy"], abs=0.01)
        assert record.metrics["mean_step"] == pytest.approx(before.metrics["mean_step"], abs=0.1)
        assert len(record.decisions()["id"]) == before.metrics["n_samples"]
        assert np.isfinite(record.trace().evidence).all()


def test_halved_weights_are_small_and_validate_the_same(exported):
    for folder in exported:
        card = (folder / "README.md").read_text()
        size = (folder / "weights.safetensors").stat().st_size
        bits = 16 if "16 bits" in card else 32
        n_parameters = rv.read_record(folder).metrics["parameters"]
        assert n_parameters * bits / 8 <= size < n_parameters * bits / 8 + 4000


def test_weights_taken_from_a_model_stay_when_it_changes():
    model = torch.nn.Linear(2, 2)
    weights = weights_of(model)
    before = weights["bias"].copy()
    torch.nn.init.constant_(model.bias, 5.0)
    np.testing.assert_array_equal(weights["bias"], before)


def test_the_card_tells_numbers_and_origin(exported):
    for folder in exported:
        record, card = rv.read_record(folder), (folder / "README.md").read_text()
        assert f"{100 * record.metrics['accuracy']:.2f} %" in card
        assert f"seed {record.seed}" in card
        assert f"`{record.provenance['command']}`" in card
        assert record.config["encoder"]["name"] in card


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


@pytest.mark.slow
def test_published_models_decide_as_their_cards_say(data_root, tmp_path):
    folders = find_pretrained(default_folder())
    assert len(folders) >= 2
    execution = rv.Execution(device="cpu", data_root=data_root)
    for record, folder in zip(judge_pretrained(folders, tmp_path, execution), folders, strict=True):
        before = rv.read_record(folder)
        # 16-bit weights, and another processor's rounding, may move a few samples on the threshold
        assert record.metrics["accuracy"] == pytest.approx(before.metrics["accuracy"], abs=0.0005)
        assert record.metrics["mean_step"] == pytest.approx(before.metrics["mean_step"], abs=0.02)
