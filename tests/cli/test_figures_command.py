"""Options of figures on the command line: faults are told before anything is read or trained."""

from pathlib import Path

import pytest

from rc_vs_snn.cli import main

RUNS = Path(__file__).parents[2] / "analysis" / "mnist-fc" / "runs"
ONE = str(RUNS / "rc-lstm-seed0")
BOTH = [ONE, str(RUNS / "rank-snn-seed0")]


def fails(capsys, *arguments) -> str:
    assert main([str(part) for part in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("rc-vs-snn: error: ")
    assert err.count("\n") == 1
    return err


def test_figures_take_options_and_say_what_is_left_out(tmp_path, capsys):
    options = ["--width", "3.4in", "--columns", "1", "--formats", "pdf, svg", "--label", "rank-SNN=SNN",
               "--order", "SNN"]  # fmt: skip
    assert main(["figures", *BOTH, "--out", str(tmp_path), *options]) == 0
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert lines[0] == "accuracy-vs-decision-step: left out: SNN, RC-LSTM hold no trace"
    assert all(": left out: SNN, RC-LSTM hold no " in line for line in lines)
    assert out.startswith("| model")
    assert [line.split("|")[1].strip() for line in out.splitlines()[2:4]] == ["SNN", "RC-LSTM"]
    printed = [Path(line).name for line in out.splitlines() if line.startswith(str(tmp_path))]
    assert printed == ["training-history.pdf", "summary.md", "summary.tex", "summary.csv"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".pdf", ".svg", ".csv", ".md", ".tex"}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--style", "nowhere.mplstyle"], "no style sheet nowhere.mplstyle"),
        (["--width", "3.4 inches"], "3.4in, got '3.4 inches'"),
        (["--formats", "pdf,jpg"], "unknown format 'jpg'"),
        (["--label", "RC-LST=x"], "no label 'RC-LST' to rename; did you mean 'RC-LSTM'"),
        (["--label", "RC-LSTM"], "OLD=NEW"),
        (["--label", "RC-LSTM=rank-SNN"], "would both be called 'rank-SNN'"),
        (["--order", "LSTM"], "no label 'LSTM' to order by; did you mean 'RC-LSTM'"),
        (["--time", "ms"], "the steps of RC-LSTM, rank-SNN have none"),
        (["--only", "coverage-vs-accuracy"], "coverage-vs-accuracy: RC-LSTM, rank-SNN hold no trace"),
    ],
)
def test_a_fault_is_one_line_and_nothing_is_written(tmp_path, capsys, options, says):
    assert says in fails(capsys, "figures", *BOTH, "--out", tmp_path / "out", *options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", [["compare"], ["reproduce", "mnist"]])
def test_a_fault_is_told_before_anything_is_trained(tmp_path, capsys, command):
    assert "unknown format 'jpg'" in fails(capsys, *command, "--formats", "jpg", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_choice_of_another_kind_names_the_allowed_ones(capsys):
    for options in (["--columns", "3"], ["--xscale", "symlog"], ["--values", "below"]):
        with pytest.raises(SystemExit) as stop:
            main(["figures", ONE, *options])
        assert stop.value.code == 2
        assert options[0] in capsys.readouterr().err
