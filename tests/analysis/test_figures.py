"""What is drawn is what the table says, and the table is what the runs say."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.curves import threshold_sweep
from rc_vs_snn.analysis.figures.decision_step_histograms import WRONG
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.intervals import mean_interval
from rc_vs_snn.registry import figures

NAMES = [
    "accuracy-vs-decision-step",
    "cost-to-decision",
    "coverage-vs-accuracy",
    "decision-step-histograms",
    "training-history",
]


# Drawn only of runs that differ in their objective.
OF_OBJECTIVES = "objective-trade-off"
# Drawn only of many models.
OF_MANY = "operating-points"
# test_new_figures.py
OTHERS = [
    "confusion",
    "decision-time-per-class",
    "decision-time-vs-property",
    "energy-vs-accuracy",
    "pareto",
    "reliability",
]
# Drawn only of grids (test_grid_figures.py), and of the toy problems (test_toy_figures.py).
OF_GRIDS = ["grid-heat-map", "grid-lines"]
OF_TOYS = ["decision-step-vs-noise", "example-sequences", "first-crossings"]


def make(name: str, records):
    figure = figures.build(name, {})
    table = figure.table(group_runs(records))
    return table, figure.draw(table)


def line(axes, label: str):
    return next(drawn for drawn in axes.get_lines() if drawn.get_label() == label)


def texts(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


def test_all_figures_are_registered():
    assert figures.names() == sorted([*NAMES, *OTHERS, OF_OBJECTIVES, OF_MANY, *OF_GRIDS, *OF_TOYS])
    assert all(figures.summary(name) for name in figures.names())


@pytest.mark.parametrize("name", NAMES)
def test_drawing_leaves_no_trace_in_global_state(name, one_seed):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    make(name, one_seed)
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_gives_no_interval(name, one_seed):
    table, figure = make(name, one_seed)
    assert all(np.isnan(table[column]).all() for column in table.columns if column.endswith("half_width"))
    assert "no interval" in texts(figure)
    assert "t-interval" not in texts(figure)
    # nothing shaded, no error bar: the only collections of a line figure would be those
    assert not [found for axes in figure.axes for found in axes.collections]


@pytest.mark.parametrize("models", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_legend_is_outside_the_axes(name, models, two_models):
    label = two_models[0].label  # of one model the figure is narrow
    _, figure = make(name, [each for each in two_models if models == 2 or each.label == label])
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)
    assert figure.bbox.contains(*box.min)
    assert figure.bbox.contains(*box.max)


def test_accuracy_curve_is_the_sweep_of_the_stored_trace(one_seed):
    _, figure = make("accuracy-vs-decision-step", one_seed)
    (axes,) = figure.axes
    for record, kind in zip(one_seed, ["probability", "membrane"], strict=True):
        sweep = threshold_sweep(record.trace(), kind)
        drawn = line(axes, f"{record.label}: threshold sweep")
        np.testing.assert_array_equal(drawn.get_xdata(), sweep["mean_step"])
        np.testing.assert_array_equal(drawn.get_ydata(), sweep["accuracy"])


def test_operating_point_is_where_the_record_says(one_seed):
    _, figure = make("accuracy-vs-decision-step", one_seed)
    (axes,) = figure.axes
    for record in one_seed:
        mark = line(axes, f"{record.label}: operating point")
        assert mark.get_xdata() == [record.metrics["mean_step"]]
        assert mark.get_ydata() == [record.metrics["accuracy"]]
        accuracy, step = record.metrics["accuracy"], record.metrics["mean_step"]
        assert f"{record.label}: {100 * accuracy:.1f} % at step {step:.2f}" in texts(figure)
        (low, high), (left, right) = axes.get_ylim(), axes.get_xlim()
        assert low < accuracy < high
        assert left < step < right


def test_forced_read_out_and_oracle_are_drawn(make_run, tiny_trace):
    _, figure = make("accuracy-vs-decision-step", [make_run(tiny_trace)])
    (axes,) = figure.axes
    read = line(axes, "RC-LSTM: read at one step")
    assert read.get_xdata().tolist() == [0, 1, 2]
    assert read.get_ydata().tolist() == [0.5, 1.0, 0.75]
    oracle = line(axes, "RC-LSTM: oracle exit")
    assert oracle.get_xdata().tolist() == [1.0]  # (0 + 1 + 1 + 2) / 4
    assert oracle.get_ydata().tolist() == [0.75]


def test_several_seeds_are_averaged_at_the_same_threshold_index(two_models):
    table, figure = make("accuracy-vs-decision-step", two_models)
    sweeps = [threshold_sweep(record.trace(), "membrane") for record in two_models[3:]]
    drawn = line(figure.axes[0], "RC-SNN: threshold sweep")
    np.testing.assert_allclose(drawn.get_ydata(), np.mean([sweep["accuracy"] for sweep in sweeps], axis=0))
    point = table.where(label="RC-SNN", series="operating point")
    expected = mean_interval([record.metrics["accuracy"] for record in two_models[3:]])
    assert point["accuracy"].item() == pytest.approx(expected.mean)
    assert point["accuracy_half_width"].item() == pytest.approx(expected.half_width)
    assert "n = 3 seeds" in texts(figure)
    assert "95 % t-interval over 3 seeds" in texts(figure)
    assert len(figure.axes[0].collections) == 2 + 4, "two bands, and two error bars on each of two marks"


def test_labels_with_different_numbers_of_seeds_are_named(two_models):
    _, figure = make("accuracy-vs-decision-step", [*two_models[:3], two_models[3]])
    assert "n = 3 (RC-LSTM), 1 (RC-SNN)" in texts(figure)
    assert len(figure.axes[0].collections) == 1 + 2


def test_histogram_bars_add_up_to_all_samples(make_run, tiny_trace):
    # threshold 0.95: steps 0 (right), 2 (right), 0 (wrong); the last sample is forced and wrong
    _, figure = make("decision-step-histograms", [make_run(tiny_trace)])
    (axes,) = figure.axes
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_height(), bar) for bar in axes.patches]
    black = [(x, height) for x, height, bar in bars if bar.get_facecolor()[:3] == (0, 0, 0)]
    right = [(x, height) for x, height, bar in bars if bar.get_facecolor()[:3] != (0, 0, 0)]
    assert WRONG == "black"
    np.testing.assert_allclose(right, [(0, 0.25), (1, 0), (2, 0.25), (3.5, 0)], atol=1e-12)
    np.testing.assert_allclose(black, [(0, 0.25), (1, 0), (2, 0), (3.5, 0.25)], atol=1e-12)
    assert [bar.get_hatch() for x, _, bar in bars if x > 3] == ["////"] * 2
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2", "forced"]
    assert [text.get_text() for text in axes.texts] == ["50", "100", "0"]


def test_an_almost_perfect_bar_is_not_numbered_100(make_run):
    from rc_vs_snn.contracts import Trace

    labels = np.zeros(3000, dtype=np.int64)
    labels[0] = 1
    evidence = np.tile(np.array([1.0, 0.0], dtype=np.float32), (3000, 2, 1))
    counts = np.ones((3000, 2), dtype=np.int64)
    trace = Trace(evidence, labels, np.arange(3000), counts, counts, counts)
    _, figure = make("decision-step-histograms", [make_run(trace)])
    assert [text.get_text() for text in figure.axes[0].texts] == ["99.9"]


def test_histogram_of_many_labels_leaves_no_empty_frame(one_seed, make_run, tiny_trace):
    _, figure = make("decision-step-histograms", [*one_seed, make_run(tiny_trace, label="third")])
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]


def test_coverage_panels_show_both_accuracies(one_seed):
    table, figure = make("coverage-vs-accuracy", one_seed)
    for axes, column in zip(figure.axes, ["accuracy_decided", "accuracy"], strict=True):
        for record in one_seed:
            rows = table.where(label=record.label, series="threshold sweep")
            drawn = line(axes, record.label)
            np.testing.assert_array_equal(drawn.get_xdata(), rows["coverage"])
            np.testing.assert_array_equal(drawn.get_ydata(), rows[column])
            marks = [mark for mark in axes.get_lines() if mark.get_markersize() == 8]
            at = {(mark.get_xdata()[0], mark.get_ydata()[0]) for mark in marks}
            assert (record.metrics["coverage"], record.metrics[column]) in at


def test_cost_keeps_acs_and_macs_apart(one_seed):
    table, figure = make("cost-to-decision", one_seed)
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    rows = table.where(label="RC-LSTM", series="threshold sweep")
    for column, name in (("acs", "accumulates (ACs)"), ("macs", "multiply-accumulates (MACs)")):
        drawn = line(axes, f"RC-LSTM: {name}")
        np.testing.assert_array_equal(drawn.get_xdata(), rows[column])
        np.testing.assert_array_equal(drawn.get_ydata(), rows["accuracy"])
    assert "RC-SNN: multiply-accumulates (MACs)" not in [drawn.get_label() for drawn in axes.get_lines()]
    assert "RC-SNN (no MACs)" in texts(figure)
    assert "Horowitz 2014" in texts(figure)
    assert "estimate" in texts(figure)
    marks = {mark.get_xdata()[0] for mark in axes.get_lines() if mark.get_markersize() == 8}
    lstm, snn = (record.metrics for record in one_seed)
    assert marks == {lstm["acs"], lstm["macs"], snn["acs"]}


def test_history_draws_every_seed(two_models):
    _, figure = make("training-history", two_models)
    for axes, key in zip(figure.axes, ["valid_accuracy", "valid_mean_step"], strict=True):
        for record in two_models:
            drawn = line(axes, f"{record.label}, seed {record.seed}")
            assert drawn.get_xdata().tolist() == list(range(1, 11))
            assert drawn.get_ydata().tolist() == [entry[key] for entry in record.history]


def test_looks_are_stable_and_differ_without_colour():
    labels = [f"model {index}" for index in range(9)]
    looks = style.looks(labels)
    assert list(looks) == labels
    assert style.looks(labels[:2]) == {label: looks[label] for label in labels[:2]}
    assert len({(look.marker, str(look.line)) for look in looks.values()}) == 9


@pytest.mark.parametrize("name", [name for name in NAMES if name != "decision-step-histograms"])
def test_many_models_leave_the_axes_their_size(name, make_run, tiny_trace):
    heights = []
    for n_models in (2, 24):
        labels = [f"model {index} of {n_models} with a rather long name" for index in range(n_models)]
        _, figure = make(name, [make_run(tiny_trace, label=label) for label in labels])
        figure.draw_without_rendering()
        heights.append(figure.axes[0].get_window_extent().height)
    assert heights[1] > 0.9 * heights[0]


def test_operating_points_of_many_models_are_what_the_records_say(two_models, make_run, tiny_trace):
    assert len(figures.build(OF_MANY, {}).table(group_runs(two_models))) == 0
    few = [make_run(tiny_trace, label=f"RC-LSTM, cure {index}") for index in range(5)]
    _, figure = make(OF_MANY, [*two_models, *few])
    for axes, name in zip(figure.axes, ("accuracy", "mean_step", "forced"), strict=True):
        for label, several in (("RC-LSTM", two_models[:3]), ("RC-LSTM, cure 4", few[4:])):
            (drawn,) = [found for found in axes.containers if found.get_label() == label]
            expected = mean_interval([record.metrics[name] for record in several])
            assert drawn.lines[0].get_xdata() == pytest.approx([expected.mean])
            assert bool(drawn.lines[2]) == (expected.half_width is not None)
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert rows == ["RC-LSTM", "RC-SNN", *(record.label for record in few)]


def test_dollar_signs_in_a_label_are_no_formula(make_run, tiny_trace):
    _, figure = make("accuracy-vs-decision-step", [make_run(tiny_trace, label="$\\frac$ 5")])
    figure.draw_without_rendering()


def test_window_ignores_far_below_but_keeps_bars():
    low, high = style.accuracy_window(np.array([0.2, 0.9, np.nan, 0.98]), [mean_interval([0.97])])
    assert 0.8 < low < 0.82  # six times the error of 3 %
    assert 0.98 < high < 1.0
    low, high = style.accuracy_window(np.array([0.97, 0.98]), [mean_interval([0.95, 0.99])])
    assert low < 0.97 - 12.7 * 0.02
    assert high > 1.0, "room for the marker, but not for a bar beyond 100 %"
    assert high < 1.03
    low, high = style.accuracy_window(np.array([1.0, 1.0]), [mean_interval([1.0])])
    assert low < high


def test_objectives_are_compared_panel_by_panel(two_objectives, two_models):
    assert len(figures.build(OF_OBJECTIVES, {}).table(group_runs(two_models))) == 0
    table, figure = make(OF_OBJECTIVES, two_objectives)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["rc-lstm, T = 4", "rc-lstm, T = 8"]
    for axes, pair in zip(figure.axes, (two_objectives[:2], two_objectives[2:]), strict=True):
        marks = [drawn for drawn in axes.get_lines() if len(drawn.get_xdata()) == 1]
        assert [mark.get_ydata()[0] for mark in marks] == [record.metrics["accuracy"] for record in pair]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["rank-coding", "last-step"]
    assert "n = 1 seed, no interval" in texts(figure)
    assert set(table.distinct("objective")) == {"rank-coding", "last-step"}


def test_a_step_of_known_duration_is_also_told_in_milliseconds(make_run, tiny_trace):
    timed = dataclasses.replace(tiny_trace, step_ms=20.0)
    run = make_run(timed)
    table, figure = make("accuracy-vs-decision-step", [run])
    assert set(table["step_ms"].tolist()) == {20}
    (above,) = figure.axes[0].child_axes
    assert above.get_xlabel() == "Input seen by then (ms)"
    low, high = figure.axes[0].get_xlim()
    figure.canvas.draw()
    assert above.get_xlim() == pytest.approx(((low + 1) * 20, (high + 1) * 20))
    table, figure = make("accuracy-vs-decision-step", [run, make_run(tiny_trace, label="other")])
    assert np.isnan(table.where(label="other")["step_ms"]).all()
    assert figure.axes[0].child_axes == []


def test_forced_samples_of_different_lengths_are_one_bar_and_lie_at_their_mean_last_step(
    make_run, tiny_trace
):
    # Threshold 0.95: the last sample is forced; it ends a step sooner than the others.
    shorter = dataclasses.replace(tiny_trace, lengths=np.array([3, 3, 3, 2]))
    trace_step = {False: 2, True: 1}
    for mixed, expected in trace_step.items():
        run = make_run(shorter if mixed else tiny_trace, label=f"mixed {mixed}")
        table, figure = make("decision-step-histograms", [run])
        (row,) = np.flatnonzero(table["forced"])
        assert table["step"][row] == expected
        assert table["right"][row] + table["wrong"][row] == 0.25
        assert max(bar.get_x() + bar.get_width() / 2 for bar in figure.axes[0].patches) == 3.5
