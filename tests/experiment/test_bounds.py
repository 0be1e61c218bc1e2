"""What would not fit the machine, or would be ignored, is refused with the bound."""

import json
import os
import warnings

import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.experiment import memory

CPU = rv.Execution(device="cpu")


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        (
            "model.hidden=100000",
            "'rc-lstm' with hidden=100000 has 40,027,000,010 weights; training them takes",
        ),
        ("models.rank-snn.model.hidden=100000000", "7,700,000,022 weights"),
        ("models.rank-snn.model.hidden=1000000000000", "77,000,000,000,022 weights"),
        ("model.hidden=9000000000000000000", "more weights than any memory holds"),
        ("models.rank-snn.model.layers=100000", "layers at most 1000"),
        ("encoder.n_steps=1000000000", "makes T = 1,000,000,000 steps"),
    ],
)
def test_a_run_that_cannot_fit_is_refused_before_its_weights_are_made(
    setting, says, capsys, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(memory, "_memory", lambda device: 16 * 10**9)
    out = tmp_path / "out"
    assert main(["compare", "--set", setting, "--out", str(out)]) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert not out.exists()


def test_the_weights_of_a_run_are_counted_as_torch_counts_them(monkeypatch) -> None:
    (config, *_) = rv.load_preset("digits", ["model.hidden=8"]).runs
    weights = 4 * 8 * (64 + 8) + 4 * 8 + 8 * 10 + 10  # LSTM from 64 pixels, readout to 10 classes
    context = {"layout": (8, 8), "n_classes": 10}
    device = rv.Execution(device="cpu").torch_device()
    monkeypatch.setattr(memory, "_memory", lambda device: memory.COPIES * 4 * weights)
    memory.require_memory(config, context, device)
    monkeypatch.setattr(memory, "_memory", lambda device: memory.COPIES * 4 * weights - 1)
    with pytest.raises(rv.InputError, match=f"has {weights:,} weights"):
        memory.require_memory(config, context, device)


@pytest.mark.parametrize("threads", [0, -1, 100_000, 1.5, True, "2", None])
def test_threads_are_bounded_by_the_cores(threads) -> None:
    with pytest.raises(rv.InputError, match=rf"at least 1, at most {4 * os.cpu_count()} \(4 a core\)"):
        rv.Execution(threads=threads)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list", "presets", "nonsense"], "unknown preset 'nonsense'"),
        (["compare", "--threads", "100000"], "threads must be at least 1, at most"),
        (["compare", "--pretrained", "x", "--preset", "digits"], "leave out --preset"),
        (["compare", "--pretrained", "x", "--seeds", "1", "--match-parameters"],
         "leave out --seeds, --match-parameters"),
    ],
)  # fmt: skip
def test_what_would_be_ignored_is_exit_code_2(arguments, says, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_list_shows_the_models_of_a_preset(capsys) -> None:
    assert main(["list", "presets", "digits"]) == 0
    assert "  RC-LSTM\n  rank-SNN\n" in capsys.readouterr().out


SILENT = rv.load_preset("digits", ["models.rank-snn.model.threshold=1000", "model.hidden=4"]).runs[1]


def test_a_training_in_which_nothing_spikes_warns_and_the_record_says_so(tmp_path) -> None:
    config = rv.Comparison("silent", (SILENT,)).with_training(epochs=7).runs[0]
    with pytest.warns(UserWarning, match=r"no output spike in 6 epochs of training.*lower model\.threshold"):
        record = rv.run(config, tmp_path / "run", CPU)
    assert record.metrics["forced"] == 1
    kept = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert "no output spike in 7 epochs" in kept["warning"]


def test_one_that_decides_warns_of_nothing(tmp_path) -> None:
    config = rv.load_preset("digits").with_training(epochs=7).runs[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rv.run(config, tmp_path / "run", CPU)
    assert "warning" not in json.loads((tmp_path / "run" / "provenance.json").read_text())
