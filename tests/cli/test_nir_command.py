"""``rc-vs-snn export --format nir`` and ``rc-vs-snn judge FILE.nir``, and every way to get them wrong."""

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main

SMALL_RUNS = ["training.epochs=1", "encoder.n_steps=5", "models.rc-lstm.model.hidden=8"]
SMALL_RUNS += ["models.rank-snn.model.hidden=16", "models.rank-snn.model.gain=6.0"]
SMALL = ["--preset", "digits", "--model", "rank-SNN", "--set", "encoder.n_steps=5"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with the runs of both families, little trained, and their graph."""
    folder = tmp_path_factory.mktemp("nir")
    comparison = rv.load_preset("digits", SMALL_RUNS).with_seeds(0)
    rv.compare(comparison, folder / "runs", rv.Execution(device="cpu"))
    return folder


@pytest.fixture(scope="module")
def exported(home):
    assert main(["export", str(home / "runs"), "--out", str(home / "nir"), "--format", "nir"]) == 0
    return home / "nir" / "rank-snn.nir"


def test_a_graph_is_written_read_again_and_checked(home, exported, capsys):
    run = next((home / "runs").glob("rank-snn*"))
    command = ["export", str(run), "--out", str(exported.parent), "--format", "nir", "--samples", "40"]
    command += ["--leaky", "CubaLIF"]
    assert main([*command, "--check", "norse", "--check", "snntorch", "--check", "spikingjelly"]) == 0
    path, again, *lines = capsys.readouterr().out.splitlines()
    assert path == str(exported)
    assert again == "  read again: readouts of 40 test samples are equal to the bit"
    told = {line.split(":")[0].strip(): line for line in lines if "," in line.split(":")[0]}
    put_right = [line for head, line in told.items() if head.endswith("put right")]
    assert len(put_right) == 2
    for line in put_right:
        assert "100.00 % of decisions equal (40 of 40), 100.0000 % of hidden spikes" in line
    assert any("does not take the graph" in line for line in lines)
    assert "    neurons1: the reset 'subtract' comes back as 'zero'" in lines


def test_what_nir_has_no_form_for_is_left_out_and_said(home, tmp_path, capsys):
    assert main(["export", str(home / "runs"), "--out", str(tmp_path), "--format", "nir"]) == 0
    told = capsys.readouterr().out
    assert "not written: RC-LSTM: layer 'cell1' (LSTM) has no form in NIR" in told
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["rank-snn.nir"]
    lstm = next((home / "runs").glob("rc-lstm*"))
    assert main(["export", str(lstm), "--out", str(tmp_path), "--format", "nir"]) == 2
    assert "has no form in NIR" in capsys.readouterr().err


def test_a_graph_is_judged_as_the_run_was(home, exported, tmp_path, capsys):
    command = ["judge", str(exported), *SMALL, "--out", str(tmp_path)]
    assert main([*command, "--check", "snntorch", "--samples", "30"]) == 0
    told = capsys.readouterr().out
    assert "put right: 100.00 % of decisions equal (30 of 30)" in told
    found = rv.read_record(tmp_path / "rank-snn-seed0")
    own = rv.read_record(next((home / "runs").glob("rank*")))
    assert found.made == "judged"
    assert found.provenance["network"] == "rank-snn.nir"
    for name, column in own.decisions().items():
        assert np.array_equal(found.decisions()[name], column), name


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--time", "step"], "leave out --time"),
        (["--set", "encoder.name=direct", "--weights", "w.pt"], "leave out --weights"),
        (["--over", "sum", "--check", "brian"], "there is no simulator 'brian'"),
        (["--dt", "0"], "dt must be"),
    ],
)
def test_judging_a_graph_the_wrong_way(exported, tmp_path, capsys, options, told):
    assert main(["judge", str(exported), *SMALL, "--out", str(tmp_path), *options]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert len(error.strip().splitlines()) == 1


def test_an_input_of_another_width_is_said(exported, tmp_path, capsys):
    command = ["judge", str(exported), "--preset", "toys-noisy-sign", "--out", str(tmp_path)]
    assert main([*command, "--set", "dataset.n_train=20"]) == 2
    assert "the graph takes 64 channels a step, as (64,), and the input has 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["judge", "net.py:make", "--dt", "1e-3"], "--dt is of a graph"),
        (["judge", "net.py:make", "--check", "norse"], "--check is of a graph"),
        (["judge", "nowhere.nir"], "cannot read nowhere.nir"),
        (
            ["export", "{runs}", "--out", "x", "--check", "norse"],
            "--check is not of --format weights, but of nir",
        ),
        (["export", "{runs}", "--out", "x", "--format", "nir", "--check", "nors"], "did you mean 'norse'"),
        (
            ["export", "{runs}", "--out", "x", "--format", "nir", "--samples", "0"],
            "samples must be at least 1",
        ),
    ],
)
def test_options_that_do_not_go_together(home, tmp_path, monkeypatch, capsys, command, told):
    monkeypatch.chdir(tmp_path)
    assert main([word.format(runs=home / "runs") for word in command]) == 2
    assert told in capsys.readouterr().err
