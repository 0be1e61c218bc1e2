"""Every table and card that is published is derived again from the files beside it.

Covered, from the stored runs of each folder of ``analysis/``: ``summary.csv`` and ``summary.md`` (paired
differences too), our rows of ``report.md``, ``training-history.csv``, ``operating-points.csv``, the operating
points in the other figures' CSV files, and what a run's numbers say of the histograms. Threshold sweeps
need the traces, which are not shipped. From ``models/``: every card, the table of its README and, in the slow
test, the records themselves, judged again from the weights. Shares in tables of README.md and of
analysis/README.md are looked up among all of these.
"""

import csv
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.analysis.figures.training_history import TrainingHistory
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.report import write_report
from rc_vs_snn.analysis.tables import summary_markdown, summary_table
from rc_vs_snn.experiment.pretrained import default_folder, find_pretrained
from rc_vs_snn.records import NUMBERS
from rc_vs_snn.records.model_card import model_card
from rc_vs_snn.records.provenance import provenance

ROOT = Path(__file__).resolve().parent.parent
ANALYSIS = ROOT / "analysis"
FOLDERS = sorted({path.parents[2] for path in ANALYSIS.glob("*/runs/*/provenance.json")})
MODELS = find_pretrained(default_folder())
ADDED_SINCE = {"leaks", "leaks_half_width", "step_ms"}  # columns that older tables lack
CARD_ROWS = {
    "accuracy, all samples": "accuracy",
    "forced at the last step": "forced",
    "accuracy, all read at step 0": "accuracy_forced_at_step0",
    "accuracy of those decided at step 0": "accuracy_decided_at_step0",
    "their share": "share_decided_at_step0",
}

in_each_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
of_each_model = pytest.mark.parametrize("folder", MODELS, ids=lambda folder: folder.name)


def markdown_tables(text):
    """Return the tables of a Markdown text, each as a list of rows by column."""
    tables, header = [], []
    for line in text.splitlines():
        if not line.startswith("|"):
            header = []
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        if not header:
            header = cells
            tables.append([])
        elif set("".join(cells)) - set("-: "):
            tables[-1].append(dict(zip(header, cells, strict=True)))
    return tables


def csv_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def stored(folder):
    """Return the runs of a folder in the order of its summary, which records of before checksums lack."""
    labels = list(dict.fromkeys(row["label"] for row in csv_rows(folder / "summary.csv")))
    found = rv.find_records(folder / "runs")
    assert {record.label for record in found} == set(labels)
    return sorted(found, key=lambda record: (labels.index(record.label), record.seed))


def wrong_cells(published, derived, key, skipped=()):
    """Return every cell of published rows that the derived rows have otherwise, as lines to read."""
    by_key = {row[key]: row for row in derived}
    assert [row[key] for row in published] == list(by_key)
    return [
        f"{row[key]} / {column}: published {cell!r}, from the stored runs {by_key[row[key]][column]!r}"
        for row in published
        for column, cell in row.items()
        if column not in skipped and by_key[row[key]][column] != cell
    ]


def close(cell, value):
    """Return whether a cell of a CSV file holds a value, as text or as a number."""
    if isinstance(value, str):
        return cell == value
    if value is None:  # an interval of one seed
        return cell == ""
    return (cell == "" and math.isnan(value)) or (
        cell != "" and math.isclose(float(cell), value, rel_tol=1e-9, abs_tol=1e-12)
    )


def test_every_folder_and_model_is_covered():
    assert {folder.name for folder in FOLDERS} >= {"mnist-fc", "mnist-conv", "mnist-trade-off"}
    assert {folder.parent.name for folder in MODELS} >= {"mnist-fc", "mnist-conv"}


@in_each_folder
def test_summary_csv(folder):
    published = csv_rows(folder / "summary.csv")
    derived = summary_table(group_runs(stored(folder)))
    assert set(derived.columns) - set(published[0]) <= ADDED_SINCE
    wrong = [
        f"{row['label']} / {name}: published {cell}, from the stored runs {derived[name].tolist()[place]}"
        for place, row in enumerate(published)
        for name, cell in row.items()
        if not close(cell, derived[name].tolist()[place])
    ]
    assert not wrong, "\n".join(wrong)


@in_each_folder
def test_summary_markdown(folder):
    published = markdown_tables((folder / "summary.md").read_text(encoding="utf-8"))
    derived = markdown_tables(summary_markdown(group_runs(stored(folder))))
    assert len(published) == len(derived) >= 1
    wrong = []
    for theirs, ours in zip(published, derived, strict=True):
        wrong += wrong_cells(theirs, ours, next(iter(theirs[0])))
    assert not wrong, "\n".join(wrong)


@in_each_folder
def test_report(folder, tmp_path):
    if not (folder / "report.md").is_file():
        return
    derived = markdown_tables(write_report({"x": stored(folder)}, tmp_path).read_text(encoding="utf-8"))
    labels = {row["model"] for row in derived[0]}
    published = [
        [row for row in table if row["model"] in labels]
        for table in markdown_tables((folder / "report.md").read_text(encoding="utf-8"))
    ]
    elsewhere = ("part", "part or source", "published: accuracy %")
    wrong = []
    for theirs, ours in zip(published, derived, strict=True):
        wrong += wrong_cells(theirs, ours, "model", elsewhere)
    assert not wrong, "\n".join(wrong)


@in_each_folder
def test_operating_points_in_the_figures(folder):
    groups = {group.label: group for group in group_runs(stored(folder))}
    wrong, seen = [], 0
    for path in sorted(folder.glob("*.csv")):
        for row in csv_rows(path):
            if row.get("series", "operating point") != "operating point":
                continue
            of_groups = "noise" in path.name or {"class", "property"} & row.keys()
            if "accuracy_half_width" not in row or of_groups:  # of samples or groups of them
                continue
            for name in sorted(set(NUMBERS) & row.keys() - {"n_samples", "n_steps"}):
                interval = groups[row["label"]].interval(name)
                for cell, value in (
                    (row[name], interval.mean),
                    (row[f"{name}_half_width"], interval.half_width),
                ):
                    seen += 1
                    if not close(cell, value):
                        wrong.append(f"{path.name}, {row['label']} / {name}: {cell}, stored {value}")
    assert seen
    assert not wrong, "\n".join(wrong)


@in_each_folder
def test_training_history(folder):
    path = folder / "training-history.csv"
    if not path.is_file():
        return
    table = TrainingHistory().table(group_runs(stored(folder)))
    published = csv_rows(path)
    assert [*published[0]] == [name for name in table.columns if name in published[0]]
    assert set(table.columns) - set(published[0]) <= ADDED_SINCE
    for name in published[0]:
        wrong = [
            (row["label"], row["seed"], row["epoch"], row[name], value)
            for row, value in zip(published, table[name].tolist(), strict=True)
            if not close(row[name], value)
        ]
        assert not wrong, f"{name}: {wrong[:5]}"


@in_each_folder
def test_histograms_hold_what_the_runs_say(folder):
    path = folder / "decision-step-histograms.csv"
    if not path.is_file():
        return
    for group in group_runs(stored(folder)):
        rows = [row for row in csv_rows(path) if row["label"] == group.label]
        right, wrong, step = (
            np.array([float(row[name]) for row in rows]) for name in ("right", "wrong", "step")
        )
        forced = np.array([row["forced"] == "True" for row in rows])
        sums = {
            "accuracy": right.sum(),
            "mean_step": (step * (right + wrong)).sum(),
            "forced": (right + wrong)[forced].sum(),
            "share_decided_at_step0": (right + wrong)[(step == 0) & ~forced].sum(),
            "share_right_at_step0": right[(step == 0) & ~forced].sum(),
        }
        assert sums == pytest.approx({name: group.interval(name).mean for name in sums}, abs=1e-9), (
            group.label
        )


def card_of(folder):
    """Return the numbers of a model's card by row."""
    first, *_ = markdown_tables((folder / "README.md").read_text(encoding="utf-8"))
    return {name: value for name, value in (row.values() for row in first)}


@of_each_model
def test_a_card_tells_what_its_record_holds(folder):
    record, card = rv.read_record(folder), card_of(folder)
    told = {name: f"{100 * record.metrics[metric]:.2f} %" for name, metric in CARD_ROWS.items()}
    told[f"mean decision step (0-based, T = {record.metrics['n_steps']})"] = (
        f"{record.metrics['mean_step']:.3f}"
    )
    assert {name: card[name] for name in told} == told
    if "export" in record.provenance:  # a card of today's form is its record, word for word
        assert (folder / "README.md").read_text(encoding="utf-8") == model_card(record)


def test_the_table_of_models_tells_what_the_records_hold():
    text = (default_folder() / "README.md").read_text(encoding="utf-8")
    rows = {
        row["folder"]: row["on test"] for table in markdown_tables(text) for row in table if "on test" in row
    }
    told = {}
    for folder in MODELS:
        name, metrics = f"{folder.parent.name}/{folder.name}", rv.read_record(folder).metrics
        told[f"[{name}]({name}/README.md)"] = (
            f"{100 * metrics['accuracy']:.2f} % at mean step {metrics['mean_step']:.2f}"
        )
    assert rows == told


def shares_known():
    """Return every share that a stored run, a model or a published source gives, to two decimals."""
    names = [name for name in NUMBERS if not name.endswith(("step", "acs", "macs"))]
    known = {}
    for folder in FOLDERS:
        for group in group_runs(stored(folder)):
            for value in (group.interval(name).mean for name in names):
                known.setdefault(folder.name, set()).add(f"{100 * value:.2f}")
    for folder in MODELS:
        metrics = rv.read_record(folder).metrics
        known.setdefault(folder.parent.name, set()).update(
            f"{100 * metrics[n]:.2f}" for n in names if n in metrics
        )
    return known


@pytest.mark.parametrize("page", ["README.md", "analysis/README.md"])
def test_shares_in_the_tables_of_a_page_are_stored_ones(page):
    known = shares_known()
    published = re.findall(
        r"\d\d\.\d\d", (ROOT / "rc_vs_snn/published/mnist.toml").read_text(encoding="utf-8")
    )
    everywhere = set().union(*known.values(), published)
    wrong = []
    for table in markdown_tables((ROOT / page).read_text(encoding="utf-8")):
        for row in table:
            line = " | ".join(row.values())
            named = [name for name in known if re.search(rf"(?<![\w-]){name}(?![\w-])", line)]
            allowed = set().union(*(known[name] for name in named), published) if named else everywhere
            for share in re.findall(r"(?<![\d.])\d\d\.\d\d(?= ?(?:%|±|\||$))", line):
                if share not in allowed:
                    wrong.append(
                        f"{page}: {share} % is in no stored run of {named or 'any folder'}: | {line} |"
                    )
    assert not wrong, "\n".join(wrong)


@pytest.mark.slow
@of_each_model
def test_a_model_judged_again_is_what_its_record_tells(folder, data_root):
    record = rv.read_record(folder)
    assert "weights.safetensors" in record.provenance["files"]
    execution = rv.Execution(device="cpu", data_root=data_root)
    test, valid = (rv.evaluate(record, execution, split=split) for split in ("test", "valid"))
    export = record.provenance["export"]
    here = provenance(0.0)["hardware"]["cpu"] == export["hardware"]["cpu"]
    # elsewhere sums in another order may move single samples
    tolerance = 1e-12 if here else 5e-4
    told = {name: record.metrics[name] for name in ("accuracy", "forced", *CARD_ROWS.values())}
    assert {name: test[name] for name in told} == pytest.approx(told, abs=tolerance)
    assert test["mean_step"] == pytest.approx(record.metrics["mean_step"], abs=40 * tolerance)
    assert valid["accuracy"] == pytest.approx(export["valid_accuracy"], abs=tolerance)


def test_the_table_of_benchmarks_is_that_of_its_files(tmp_path):
    published = ANALYSIS / "benchmarks"
    for path in published.glob("*.json"):
        shutil.copy(path, tmp_path)
    code = "import sys, pathlib, benchmarks.report as r; r.write_table(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=True)
    derived = (tmp_path / "table.md").read_text(encoding="utf-8").splitlines()
    lines = (published / "table.md").read_text(encoding="utf-8").splitlines()
    assert lines == derived
