"""Figures that know what the toy sequences held: drawn of these corpora alone, from their ids."""

import numpy as np
import pytest

from rc_vs_snn import toys
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.contracts import Trace
from rc_vs_snn.registry import figures

NAMES = ["decision-step-vs-noise", "example-sequences", "first-crossings"]


def trace_of(evidence, labels, ids):
    n, n_steps, _ = evidence.shape
    counts = np.ones((n, n_steps))
    return Trace(evidence.astype(np.float32), labels, ids, acs=counts, macs=counts, input_events=counts)


def certain_from(steps, labels, n_steps):
    """Evidence 0.5, and 1 for the label from a step on."""
    evidence = np.full((len(steps), n_steps, 2), 0.5)
    for row, (step, label) in enumerate(zip(steps, labels, strict=True)):
        evidence[row, step:, label], evidence[row, step:, 1 - label] = 1.0, 0.0
    return evidence


@pytest.fixture
def spotting_runs(make_run):
    """One run that decides two steps late, one that decides at once for "present"; sequences of 10 bits."""
    ids = np.arange(2_000_000, 2_000_200)
    options = {"name": "spotting", "length": 10, "run_length": 3, "data_seed": 5}
    values, labels = toys.spotting(ids, 5, 10, 3)
    ideal = toys.ideal_step(values, 3)
    late = trace_of(certain_from(np.minimum(ideal + 2, 9), labels, 10), labels, ids)
    hasty = trace_of(certain_from(0 * ideal, 0 * labels + 1, 10), labels, ids)
    return ideal, [
        make_run(late, label="late", dataset=options),
        make_run(hasty, label="hasty", dataset=options),
    ]


@pytest.fixture
def noisy_run(make_run):
    """A run that decides later where there is more noise, and is wrong in the noisiest eighth."""
    ids = np.arange(2_000_000, 2_000_160)
    _, labels = toys.noisy_sign(ids)
    noise = toys.noise_std(ids)
    rank = np.argsort(np.argsort(noise))
    said = np.where(rank >= 140, 1 - labels, labels)
    evidence = certain_from(rank // 20, said, 40)
    return noise, make_run(trace_of(evidence, labels, ids), dataset={"name": "noisy-sign"})


@pytest.mark.parametrize("name", NAMES)
def test_other_corpora_have_none(name, one_seed):
    assert len(figures.build(name, {}).table(group_runs(one_seed))) == 0


def test_the_raster_has_the_ideal_step_and_the_lag(spotting_runs):
    ideal, runs = spotting_runs
    figure = figures.build("first-crossings", {})
    table = figure.table(group_runs(runs))
    late, hasty = table.where(label="late"), table.where(label="hasty")
    assert len(late) == len(hasty) == 150
    assert late["ideal_step"].tolist() == sorted(ideal[:150].tolist())
    assert late["step"].tolist() == np.minimum(late["ideal_step"] + 2, 9).tolist()
    assert late["right"].all()
    assert late["lag"][0] == pytest.approx((np.minimum(ideal + 2, 9) - ideal).mean())
    assert hasty["lag"][0] == pytest.approx(-ideal.mean())
    assert not hasty["right"].all()
    drawn = figure.draw(table)
    dots = {line.get_label(): line for line in drawn.axes[0].get_lines()}
    assert dots["right"].get_xdata().tolist() == late["step"].tolist()
    assert dots["ideal"].get_xdata().tolist() == late["ideal_step"].tolist()
    assert f"mean lag {late['lag'][0]:.2f} steps" in drawn.axes[0].get_title(loc="left").replace("\n", " ")


def test_decision_steps_by_noise(noisy_run):
    noise, run = noisy_run
    figure = figures.build("decision-step-vs-noise", {})
    table = figure.table(group_runs([run]))
    assert table["mean_step"].tolist() == list(range(8))
    assert table["accuracy"].tolist() == [1.0] * 7 + [0.0]
    assert table["noise_std"][0] == pytest.approx(np.sort(noise)[:20].mean())
    upper, lower = figure.draw(table).axes
    assert upper.get_lines()[0].get_ydata().tolist() == list(range(8))
    assert lower.get_lines()[0].get_ydata().tolist() == [1.0] * 7 + [0.0]


def test_examples_end_at_their_decision(noisy_run):
    _, run = noisy_run
    figure = figures.build("example-sequences", {})
    table = figure.table(group_runs([run]))
    ids = table.distinct("id")
    assert len(ids) == 4
    assert np.diff([table.where(id=each)["hardness"][0] for each in ids]).min() > 0
    drawn = figure.draw(table)
    for column, sample_id in enumerate(ids):
        rows = table.where(id=sample_id)
        values, _ = toys.noisy_sign(np.array([sample_id]))
        assert rows["value"].tolist() == values[0, :, 0].tolist()
        above, below = drawn.axes[column], drawn.axes[4 + column]
        assert above.get_lines()[0].get_ydata().tolist() == values[0, :, 0].tolist()
        assert below.get_lines()[0].get_xdata()[-1] == rows["decision_step"][0]


def test_examples_of_spotting_are_drawn_too(spotting_runs):
    figure = figures.build("example-sequences", {})
    table = figure.table(group_runs(spotting_runs[1]))
    assert table.distinct("label") == ["late", "hasty"]
    assert len(figure.draw(table).axes) == 8
