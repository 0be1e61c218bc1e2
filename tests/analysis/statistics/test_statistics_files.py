"""statistics.md and statistics.csv, as `write_figures` leaves them."""

import csv
import math

import numpy as np
import pytest
from scipy.stats import hmean
from sklearn.calibration import calibration_curve

from rc_vs_snn.analysis import write_figures
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.statistics import (
    best_operating_point,
    by_threshold,
    compare_two,
    energy_to_decision,
    statistics_markdown,
    statistics_table,
    tidy,
)
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.records.writing import write_trace


@pytest.fixture
def paired(make_run, two_models):
    """Two models on the same samples, three seeds."""
    records = []
    for record in two_models[:3]:
        trace = record.trace()
        blurred = Trace(**{**vars(trace), "evidence": (0.7 * trace.evidence + 0.3 / 5).astype(np.float32)})
        late = Trace(**{**vars(blurred), "evidence": np.repeat(blurred.evidence[:, :4], 2, axis=1)})
        records += [make_run(trace, label="sharp", seed=record.seed)]
        records += [make_run(late, label="blurred", seed=record.seed, threshold=0.7)]
    return records


def text_of(records) -> str:
    groups = group_runs(records)
    return statistics_markdown(groups, statistics_table(groups))


def test_a_row_per_model_and_every_model_against_the_first(paired, tmp_path):
    written = write_figures(paired, tmp_path, only=["training-history"])
    assert [path.name for path in written[-2:]] == ["statistics.md", "statistics.csv"]
    with (tmp_path / "statistics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["sharp", "blurred"]
    text = (tmp_path / "statistics.md").read_text()
    sharp, blurred = paired[::2], paired[1::2]
    assert f"\n\n- {compare_two(blurred, sharp).sentence()} Difference in AUC: " in text
    assert "(95 % t-interval over 3 seeds). McNemar at that time" in text
    assert "±: 95 % t-interval over 3 seeds." in text
    assert "Source: M. Horowitz" in text
    assert "Left out: caches" in text


def test_the_numbers_are_those_of_the_parts(paired):
    table = statistics_table(group_runs(paired[:1]))
    record, trace = paired[0], paired[0].trace()
    metrics = record.metrics
    assert table["auc"].item() == by_threshold(trace, "probability").area()
    harmonic = hmean([metrics["accuracy"], 1 - metrics["earliness"]])
    assert table["harmonic_mean"].item() == pytest.approx(harmonic)
    assert table["average_cost_0.5"].item() == pytest.approx(
        1 - metrics["accuracy"] + 0.5 * metrics["earliness"]
    )
    decision = decide(trace.evidence, FirstSpike(0.95))
    right = (decision.label == trace.labels).astype(int)
    share, mean = calibration_curve(right, decision.evidence, n_bins=15)
    counts = np.histogram(decision.evidence, np.linspace(0, 1, 16))[0]
    assert table["ece"].item() == pytest.approx(np.average(np.abs(share - mean), weights=counts[counts > 0]))
    spent = energy_to_decision(metrics["acs"], metrics["macs"], 0, metrics["parameters"])
    assert table["macs_nj"].item() == pytest.approx(spent.macs_nj)
    assert math.isnan(table["total_nj"].item()), "leaks are not counted here"
    assert math.isnan(table["best_cost_0.1"].item()), "no trace of valid"
    assert math.isnan(table["auc_half_width"].item()), "one seed"


def test_what_is_not_there_is_said(paired):
    text = text_of(paired[:1])
    assert "not counted" in text
    assert "(-)" in text
    assert "## Against" not in text
    assert "1 seed, no interval" in text


def test_the_best_point_on_valid_stands_in_the_table(paired):
    record, valid = paired[0], paired[2].trace()
    write_trace(record.folder / "trace-valid.npz", valid)
    table = statistics_table(group_runs(paired[:1]))
    best = best_operating_point(valid, record.trace(), "probability", 0.1)
    assert table["best_cost_0.1"].item() == best.cost
    assert table["best_threshold_0.1"].item() == best.threshold
    assert f"({best.cost:.3f})" in text_of(paired[:1])


def test_an_evidence_of_another_kind_has_all_but_the_confidence(make_run, paired):
    run = make_run(paired[0].trace(), label="margin", evidence="margin", threshold=0.95)
    table = statistics_table(group_runs([run]))
    assert math.isnan(table["ece"].item())
    assert 0 < table["auc"].item() < 1
    assert np.isnan(tidy([run]).decisions["confidence"]).all()


def test_models_on_other_samples_are_not_compared_but_named(two_models):
    text = text_of(two_models)
    assert "- RC-SNN: not compared: " in text
    assert "not the same samples (400 and 400)" in text


def test_a_run_without_its_trace_has_the_numbers_that_need_none(paired, tmp_path):
    (paired[1].folder / "trace.npz").unlink()
    table = statistics_table(group_runs(paired[:2]))
    assert np.isnan(table["auc"]).tolist() == np.isnan(table["ece"]).tolist() == [False, True]
    assert np.isfinite(table["harmonic_mean"]).all()
    assert np.isfinite(table["average_cost_0.1"]).all()
    assert np.isfinite(table["macs_nj"]).all()
    assert "- blurred: not compared: blurred holds no trace." in text_of(paired[:2])
    written = write_figures(paired[:2], tmp_path, only=["training-history"])
    assert written[-1].name == "statistics.csv"


def test_one_seed_is_compared_by_bootstrap(paired):
    text = text_of(paired[:2])
    assert "95 % paired bootstrap over 400 samples, 2,000 resamples" in text


def test_the_same_records_give_the_same_text(paired):
    assert text_of(paired[:2]) == text_of(paired[:2])


@pytest.mark.parametrize(("n", "n_steps"), [(1, 8), (3, 1), (1, 1)])
def test_a_single_sample_and_a_single_step(make_run, paired, n, n_steps):
    records = []
    for record in paired[:2]:
        trace = record.trace()
        few = {
            name: values[:n, :n_steps] if values.ndim > 1 else values[:n]
            for name, values in vars(trace).items() if isinstance(values, np.ndarray)
        }  # fmt: skip
        few["lengths"] = np.full(n, n_steps)
        records.append(make_run(Trace(**few), label=f"few {record.label}", threshold=1.0))  # all forced
    text = text_of(records)
    assert "1 seed, no interval" in text
    assert ("1 sample, no interval" in text) == (n == 1)
    assert "McNemar at that time" in text
