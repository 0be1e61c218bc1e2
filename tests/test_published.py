"""Published numbers are what the runs recorded: no figure in analysis/ was typed in."""

import csv
import json
import re
from pathlib import Path

import pytest

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"
RUNS = sorted(ANALYSIS.glob("*/runs/*/metrics.json"))


def published(run):
    """Return one run's metrics and label."""
    label = json.loads((run.parent / "config.json").read_text())["label"]
    return label, json.loads(run.read_text())


def test_there_are_published_runs():
    assert len(RUNS) >= 2


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parts[-4]}/{run.parent.name}")
def test_summary_and_text_repeat_the_recorded_metrics(run):
    folder = run.parents[2]
    label, metrics = published(run)
    with (folder / "summary.csv").open() as file:
        (row,) = [row for row in csv.DictReader(file) if label in row.values()]
    numbers = [float(value) for value in row.values() if re.fullmatch(r"[0-9.e+-]+", value)]
    for name in ("mean_step", "parameters", "acs", "macs"):
        assert any(abs(number - metrics[name]) <= 1e-6 * abs(metrics[name]) for number in numbers), name
    text = (ANALYSIS / "README.md").read_text()
    assert f"{100 * metrics['accuracy']:.2f} %" in text
    assert f"{metrics['mean_step']:.2f}" in text


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parts[-4]}/{run.parent.name}")
def test_provenance_is_complete_and_clean(run):
    provenance = json.loads((run.parent / "provenance.json").read_text())
    assert provenance["status"] == "done"
    assert provenance["code"]["uncommitted_changes"] is False
    assert provenance["code"]["commit"][:7] in (ANALYSIS / "README.md").read_text()
    assert provenance["command"] in (ANALYSIS / "README.md").read_text()
    assert {"seed", "threads", "device", "packages", "hardware"} <= set(provenance)
