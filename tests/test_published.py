"""Published numbers are what the runs recorded: no figure in analysis/ was typed in."""

import csv
import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.exits_drawn import markdown as exits_markdown
from rc_vs_snn.analysis.published import load_published
from rc_vs_snn.config import differences

ANALYSIS = Path(__file__).resolve().parent.parent / "analysis"
README = (ANALYSIS / "README.md").read_text()
# Of these some runs were started from Python, or some runs of the plan were not made: README says which.
FROM_PYTHON = {
    "mnist-direct",
    "nmnist-folds",
    "nmnist-small",
    "speech-commands-resplit",
    "spoken-digits",
    "toys-noisy-sign",
}
IN_PART = {
    "mnist-direct",
    "speech-commands-resplit",
}
RUNS = sorted(ANALYSIS.glob("*/runs/*/metrics.json"))
NAMES = (
    "accuracy",
    "accuracy_decided",
    "accuracy_forced_at_step0",
    "mean_step",
    "forced",
    "parameters",
    "acs",
    "macs",
)


def means():
    """Return mean metrics over seeds, by folder and label."""
    found = defaultdict(list)
    for run in RUNS:
        label = json.loads((run.parent / "config.json").read_text())["label"]
        found[run.parents[2], label].append(json.loads(run.read_text()))
    # Where nothing was decided, there is no accuracy over decided samples.
    return {
        key: {
            name: sum(metrics[name] for metrics in several) / len(several)
            for name in NAMES
            if all(metrics[name] is not None for metrics in several)
        }
        for key, several in found.items()
    }


MEANS = means()
AT_EQUAL_TIME = sorted(ANALYSIS.glob("*/at-mean-step-*/*.json"))


def means_at_equal_time():
    """Return mean accuracies over seeds of what `evaluate --mean-step` printed, by folder and model."""
    found = defaultdict(list)
    for file in AT_EQUAL_TIME:
        found[file.parent, file.stem.rpartition("-seed")[0]].append(json.loads(file.read_text())["accuracy"])
    return {key: sum(accuracies) / len(accuracies) for key, accuracies in found.items()}


def test_there_are_published_runs_of_both_families():
    kinds = {json.loads((run.parent / "metrics.json").read_text())["evidence"] for run in RUNS}
    assert kinds == {"probability", "sigmoid", "membrane"}


@pytest.mark.parametrize("folder", ["exits", "fashion-mnist-codes", "mnist-direct"])
def test_the_exits_table_is_made_of_its_numbers(folder):
    with (ANALYSIS / folder / "exits.csv").open() as file:
        rows = list(csv.DictReader(file))
    texts = ("label", "dataset", "exit", "found")
    columns = {
        name: np.array([row[name] if name in texts else float(row[name] or "nan") for row in rows])
        for name in rows[0]
    }
    assert exits_markdown(Table(columns)) == (ANALYSIS / folder / "exits.md").read_text()


@pytest.mark.parametrize("key", MEANS, ids=lambda key: f"{key[0].name}/{key[1]}")
def test_the_summary_repeats_the_recorded_metrics(key):
    folder, label = key
    with (folder / "summary.csv").open() as file:
        (row,) = [row for row in csv.DictReader(file) if row["label"] == label]
    for name in NAMES:
        if name in MEANS[key]:
            assert float(row[name]) == pytest.approx(MEANS[key][name], rel=1e-9), name
        else:
            assert row[name] == "", name
    text = (folder / "summary.md").read_text()  # few test samples are told with one decimal
    assert any(f"{100 * MEANS[key]['accuracy']:.{digits}f}" in text for digits in (1, 2))


def test_every_accuracy_in_the_text_is_a_recorded_mean():
    accuracies = ("accuracy", "accuracy_decided", "accuracy_forced_at_step0")
    recorded = {f"{100 * mean[name]:.2f} %" for mean in MEANS.values() for name in accuracies if name in mean}
    recorded |= {f"{100 * mean:.2f} %" for mean in means_at_equal_time().values()}
    recorded |= {f"{100 * json.loads(run.read_text())['accuracy']:.2f} %" for run in RUNS}
    with (ANALYSIS / "fixed-point" / "fixed-point.csv").open() as file:
        recorded |= {f"{100 * float(row['accuracy']):.2f} %" for row in csv.DictReader(file)}
    recorded |= {f"{entry.accuracy_percent:.2f} %" for entry in load_published("mnist").results}
    quoted = set(re.findall(r"\d\d\.\d\d %", README))
    assert quoted
    assert quoted <= recorded


def test_there_are_results_at_equal_time():
    assert AT_EQUAL_TIME


@pytest.mark.parametrize("file", AT_EQUAL_TIME, ids=lambda file: f"{file.parts[-3]}/{file.stem}")
def test_results_at_equal_time_are_of_published_runs_on_the_whole_test_split(file):
    trained = json.loads((file.parents[1] / "runs" / file.stem / "metrics.json").read_text())
    shifted = json.loads(file.read_text())
    budget = float(file.parent.name.removeprefix("at-mean-step-"))
    assert shifted["split"] == "test"
    assert shifted["n_samples"] == trained["n_samples"] == 10_000
    # The budget was kept on valid, whose samples are others.
    assert abs(shifted["mean_step"] - budget) < 0.1 * budget
    # No threshold moves what is read at step 0, but for sums in another order.
    assert shifted["accuracy_forced_at_step0"] == pytest.approx(trained["accuracy_forced_at_step0"], abs=2e-4)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.parts[-4]}/{run.parent.name}")
def test_provenance_is_complete_and_clean(run):
    provenance = json.loads((run.parent / "provenance.json").read_text())
    assert provenance["status"] == "done"
    assert provenance["code"]["uncommitted_changes"] is False
    assert provenance["code"]["commit"][:7] in README
    command, folder = provenance["command"], run.parts[-4]
    # The first is how the second was once stored.
    command = re.sub(r"^(__main__\.py|python -m rc_vs_snn)", "rc-vs-snn", command)
    if command.startswith("rc-vs-snn"):
        assert command in README
    else:  # with the configuration of the command; what is planned is tested below
        assert folder in FROM_PYTHON
        assert re.search(rf"{folder}.{{0,4000}}from Python", README, re.DOTALL)
    assert {"seed", "threads", "device", "packages", "hardware"} <= set(provenance)


@pytest.mark.parametrize("folder", sorted({folder for folder, _ in MEANS}), ids=lambda folder: folder.name)
def test_the_command_beside_a_folder_still_plans_its_runs(folder):
    # Later commits may not turn a preset into another experiment than the one its numbers are of.
    seeds = sorted({json.loads(file.read_text())["seed"] for file in folder.glob("runs/*/config.json")})
    runs = rv.load_preset(folder.name).with_seeds(*seeds).planned()
    planned = {run.folder_name: run.to_table() for run in runs}
    configs = {file.parent.name: json.loads(file.read_text()) for file in folder.glob("runs/*/config.json")}
    if folder.name in IN_PART:
        planned = {name: planned[name] for name in configs}
    assert configs.keys() == planned.keys()
    for name, config in configs.items():
        assert not list(differences(config, planned[name])), name
