"""The page for somebody with a network or predictions of their own, as it stands, from an empty folder."""

import re
import shlex
import sys
import warnings
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.cli import main

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "judge_your_own.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line.strip() for line in PAGE.splitlines() if line.startswith("    rc-vs-snn ")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Everything on the page, run in its order."""
    home = tmp_path_factory.mktemp("elsewhere")
    patch = pytest.MonkeyPatch()
    patch.chdir(home)
    patch.syspath_prepend(str(home))
    nets, *snippets = BLOCKS
    Path("my_nets.py").write_text(nets, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for snippet in snippets:
            exec(compile(snippet, "judge_your_own.md", "exec"), {"__name__": "somebody"})
        torch.save(sys.modules["my_nets"].recurrent().state_dict(), "lstm.pt")
    yield home
    sys.modules.pop("my_nets", None)
    patch.undo()


def test_each_snippet_has_at_most_twelve_lines():
    nets, *snippets = BLOCKS
    assert nets.startswith("# my_nets.py")
    assert len(snippets) == 6
    assert max(len([line for line in each.splitlines() if line.strip()]) for each in snippets) <= 12


def test_four_things_made_elsewhere_stand_beside_ours(folder):
    records = {record.label: record for record in rv.find_records(folder / "runs/mine")}
    made = {label: record.made for label, record in records.items()}
    assert made == {
        "RC-LSTM": "trained", "rank-SNN": "trained", "snnTorch conv": "judged", "nn.LSTM": "judged",
        "regression logits": "predictions", "neighbour decisions": "predictions",
    }  # fmt: skip
    # what tiny networks come to on test, read once
    accuracy = {label: record.metrics["accuracy"] for label, record in records.items()}
    for label in ("snnTorch conv", "nn.LSTM", "regression logits", "neighbour decisions"):
        assert 0.9 < accuracy[label] < 1, accuracy
        assert 0 < records[label].metrics["mean_step"] < 9
    table = (folder / "runs/mine/figures/accuracy-vs-decision-step.csv").read_text(encoding="utf-8")
    assert all(label in table for label in records)
    summary = (folder / "runs/mine/figures/summary.md").read_text(encoding="utf-8")
    for label in records:
        assert f"| {label}" in summary
    (row,) = [line for line in summary.splitlines() if line.startswith("| neighbour decisions")]
    assert row.count("not counted") == 3
    assert matplotlib.image.imread(folder / "runs/mine/figures/accuracy-vs-decision-step.png").std() > 0.01


def test_decisions_alone_have_a_point_and_no_curve(folder):
    groups = {group.label: group for group in group_runs(rv.find_records(folder / "runs/mine"))}
    assert not groups["neighbour decisions"].has_traces
    assert groups["regression logits"].has_traces
    with (folder / "runs/mine/figures/accuracy-vs-decision-step.csv").open(encoding="utf-8") as file:
        series = [line for line in file if "neighbour decisions" in line]
    assert len(series) == 1
    assert "operating point" in series[0]


def test_the_report_shows_them_too(folder):
    pytest.importorskip("bokeh")
    assert main(["report", "runs/mine", "--out", "report.html"]) == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    for record in rv.find_records(folder / "runs/mine"):
        assert record.label in page


def test_predictions_and_decisions_say_what_was_in_the_files(folder):
    splits = sys.modules["my_nets"].splits
    logits = np.load(folder / "logits.npz")["readouts"]
    record = rv.read_record(folder / "runs/mine/regression-logits-seed0")
    evidence = torch.from_numpy(logits.astype(np.float32)).softmax(2).transpose(0, 1).numpy()
    np.testing.assert_allclose(record.trace().evidence, evidence, atol=1e-6)
    assert record.metrics["accuracy_forced_at_step0"] == np.mean(logits[0].argmax(1) == splits.test.labels)
    record = rv.read_record(folder / "runs/mine/neighbour-decisions-seed0")
    rows = np.loadtxt(folder / "decisions.csv", delimiter=",", skiprows=1, dtype=int)
    found = record.decisions()
    np.testing.assert_array_equal(found["id"], rows[:, 0])
    np.testing.assert_array_equal(found["step"], rows[:, 1])
    assert record.metrics["accuracy"] == np.mean(rows[:, 2] == splits.test.labels)
    assert record.metrics["mean_step"] == rows[:, 1].mean()
    assert record.metrics["earliness"] == pytest.approx((rows[:, 1] + 1).mean() / 10)


@pytest.mark.parametrize("command", COMMANDS)
def test_its_commands_run(folder, command, capsys):
    assert main(shlex.split(command)[1:]) == 0
    *_, path = capsys.readouterr().out.split()
    record = rv.read_record(path)
    if record.made == "judged":
        twin = rv.read_record(folder / "runs/mine/nn-lstm-seed0")
        assert record.metrics["accuracy"] == twin.metrics["accuracy"]
        assert record.metrics["acs"] == twin.metrics["acs"]
    else:
        assert record.config["dataset"] == {"name": "digits"}
        assert record.metrics["accuracy"] > 0.9


def test_there_are_commands_of_both_kinds():
    assert len(COMMANDS) == 4
    assert sum("--predictions" in command for command in COMMANDS) == 2
