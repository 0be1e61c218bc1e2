"""Every exit on one trace: set on valid within the budget, the soonest of its kind, read on test."""

import csv
import io

import numpy as np
import pytest

from rc_vs_snn.analysis import exits_drawn
from rc_vs_snn.analysis.exits import AT_END, EXITS, ORACLE, TracedRun, chosen_exit, exits_table, over_seeds
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.exits import judged
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.probabilities import softmax_of


def traced(seed, n=300, steps=6, classes=4, step_ms=None):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    readouts = generator.normal(size=(n, steps, classes)).cumsum(1)
    readouts += 1.2 * np.eye(classes)[labels][:, None] * np.arange(1, steps + 1)[:, None]
    readouts = readouts.astype(np.float32)
    nothing = np.zeros((n, steps))
    return Trace(
        softmax_of(readouts),
        labels,
        np.arange(n),
        nothing,
        nothing,
        nothing,
        step_ms=step_ms,
        readouts=readouts,
    )


@pytest.fixture(scope="module")
def runs():
    return [TracedRun("net", "toy", seed, traced(seed), traced(100 + seed, step_ms=2.0)) for seed in (0, 1)]


@pytest.fixture(scope="module")
def table(runs):
    return exits_table(runs, 0.02)


@pytest.mark.parametrize("name", EXITS)
def test_each_exit_keeps_its_budget_on_valid(name):
    valid = traced(7, n=600)
    at_end = (valid.evidence[:, -1].argmax(1) == valid.labels).mean()
    rule = chosen_exit(EXITS[name], valid, 0.2)  # summed over a random walk, readouts are worse at the end
    assert rule is not None
    decision = judged(valid, rule)
    assert (decision.label == valid.labels).mean() >= at_end - 0.2 - 1e-9
    tighter = chosen_exit(EXITS[name], valid, 0.15)
    if tighter is not None:  # a smaller budget never decides sooner
        assert judged(valid, tighter).step.mean() >= decision.step.mean()


def test_the_fixed_step_is_the_first_that_is_good_enough(runs):
    valid = runs[0].valid
    right = (valid.evidence.argmax(2) == valid.labels[:, None]).mean(0)
    rule = chosen_exit(EXITS["fixed step"], valid, 0.02)
    assert rule.step == int(np.argmax(right >= right[-1] - 0.02 - 1e-12))


def test_the_table_has_a_row_for_each_run_and_exit(runs, table):
    assert len(table) == len(runs) * (len(EXITS) + 2)
    for run in runs:
        rows = table.where(seed=run.seed)
        end = rows.where(exit=AT_END)
        assert end["accuracy"][0] == (run.test.evidence[:, -1].argmax(1) == run.test.labels).mean()
        assert end["change"][0] == 0
        assert end["mean_step"][0] == 5
        np.testing.assert_allclose(rows["mean_ms"], (rows["mean_step"] + 1) * 2)
        known = rows.where(found=True)
        assert (known["mean_step"] >= rows.where(exit=ORACLE)["mean_step"][0] - 1e-9).any()


def test_intervals_are_over_seeds(table):
    point = over_seeds(table)["toy", "net", "entropy"]["mean_step"]
    values = table.where(exit="entropy")["mean_step"]
    assert point.mean == pytest.approx(values.mean())
    assert point.n == 2
    assert point.half_width == pytest.approx(12.706 * np.std(values, ddof=1) / np.sqrt(2), rel=1e-3)


def test_what_keeps_no_budget_is_a_dash():
    never_right = traced(0)
    never_right = Trace(**{**vars(never_right), "labels": (never_right.evidence[:, -1].argmax(1) + 1) % 4})
    always = TracedRun("net", "toy", 0, traced(1), traced(2))
    assert chosen_exit(EXITS["fixed step"], never_right, 0.0) is not None  # 0 % may be kept
    table = exits_table([always], 0.0)
    missing = table.where(found=False)
    assert np.isnan(missing["accuracy"]).all()
    text = exits_drawn.markdown(table)
    for name in missing["exit"]:
        row = next(line for line in text.splitlines() if line.startswith(f"| {name} "))
        assert row.count(" - ") == 4


def test_a_trace_of_evidence_alone_is_refused(runs):
    bare = Trace(**{**vars(runs[0].valid), "readouts": None})
    with pytest.raises(InputError, match="no readouts"):
        exits_table([TracedRun("net", "toy", 0, bare, runs[0].test)], 0.02)


def test_files_hold_the_table_and_are_the_same_twice(runs, table, tmp_path):
    first = {path.name: path.read_bytes() for path in exits_drawn.write_exits(runs, tmp_path / "a", 0.02)}
    second = {path.name: path.read_bytes() for path in exits_drawn.write_exits(runs, tmp_path / "b", 0.02)}
    assert first == second
    rows = list(csv.DictReader(io.StringIO(first["exits.csv"].decode())))
    assert [float(row["mean_step"] or "nan") for row in rows] == pytest.approx(
        table["mean_step"].tolist(), nan_ok=True
    )
    assert "loss of 2 points" in first["exits.md"].decode()
