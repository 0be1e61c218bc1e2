"""Pareto, energy, time per class, reliability, confusion, time by property: numbers against plain loops."""

import dataclasses
import io

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.text import Text
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix

from rc_vs_snn import toys
from rc_vs_snn.analysis import FigureOptions, style
from rc_vs_snn.analysis.figures.decision_time_vs_property import bin_edges
from rc_vs_snn.analysis.figures.energy_vs_accuracy import energy_pj, spelt_energy
from rc_vs_snn.analysis.figures.pareto import on_front
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.intervals import mean_interval
from rc_vs_snn.analysis.statistics.energy import TABLES
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import figures

NAMES = [
    "confusion",
    "decision-time-per-class",
    "decision-time-vs-property",
    "energy-vs-accuracy",
    "pareto",
    "reliability",
]
OF_DECISIONS = ["confusion", "decision-time-per-class", "reliability"]


def make(name, records):
    figure = figures.build(name, {})
    table = figure.table(group_runs(records))
    return table, figure.draw(table)


def simulate(seed, n, n_steps, n_classes, gain):
    """Probabilities that grow towards the true class, which some samples never reach."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    potential = rng.normal(0, 1, (n, n_steps, n_classes)).cumsum(axis=1)
    potential[np.arange(n), :, labels] += gain * rng.lognormal(0, 0.7, (n, 1)) * np.arange(1, n_steps + 1)
    odds = np.exp(potential - potential.max(axis=2, keepdims=True))
    events = rng.poisson(10, (n, n_steps)).cumsum(axis=1)
    evidence = (odds / odds.sum(axis=2, keepdims=True)).astype(np.float32)
    return Trace(evidence, labels, np.arange(n), 512 * events, 0 * events, events)


def texts(figure):
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


def svg(figure):
    target = io.BytesIO()
    with style.applied():
        figure.savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def drawn(axes, label):
    return next(line for line in axes.get_lines() if line.get_label() == label)


@pytest.mark.parametrize("name", NAMES)
def test_drawn_twice_it_is_the_same_to_the_byte_and_leaves_nothing_behind(name, two_models):
    before = dict(mpl.rcParams)
    first, second = make(name, two_models)[1], make(name, two_models)[1]
    assert dict(mpl.rcParams) == before
    assert svg(first) == svg(second)


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_has_no_interval(name, one_seed):
    table, figure = make(name, one_seed)
    widths = [column for column in table.columns if column.endswith("half_width")]
    assert all(np.isnan(table[column]).all() for column in widths)
    assert "n = 1 seed, no interval" in texts(figure)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_ever_decided(name, make_run, tiny_trace):
    run = make_run(tiny_trace, threshold=1.0)
    assert run.metrics["forced"] == 1
    table, figure = make(name, [run])
    assert len(table)
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", NAMES)
def test_a_test_split_of_one_class(name, make_run):
    trace = simulate(0, 60, 4, 3, 1.0)
    run = make_run(dataclasses.replace(trace, labels=np.ones(60, np.int64)))
    _, figure = make(name, [run])
    figure.draw_without_rendering()


@pytest.mark.parametrize("name", NAMES)
def test_thirty_five_classes_fit(name, make_run):
    runs = [make_run(simulate(seed, 400, 6, 35, 1.0), label=f"a model, {seed}") for seed in (0, 1)]
    _, figure = make(name, runs)
    figure.draw_without_rendering()
    if name in ("confusion", "decision-time-per-class"):
        boxes = [text.get_window_extent() for text in figure.axes[0].get_yticklabels()]
        assert len(boxes) == 35
        apart = abs(boxes[0].y0 - boxes[1].y0)
        letters = 0.72 * max(box.height for box in boxes)  # a line is higher than its digits
        assert letters < apart


@pytest.mark.parametrize("name", NAMES)
def test_without_a_trace_it_is_drawn_or_says_what_is_missing(name, make_run, tiny_trace):
    run = make_run(tiny_trace)
    (run.folder / "trace.npz").unlink()
    if name in OF_DECISIONS:
        assert len(make(name, [run])[0])
    else:
        with pytest.raises(InputError, match=r"trace\.npz"):
            make(name, [run])


# pareto


@given(
    st.lists(
        st.tuples(
            st.one_of(st.integers(0, 4).map(float), st.floats(0, 4), st.just(np.nan)),
            st.one_of(st.integers(0, 4).map(float), st.floats(0, 4), st.just(np.nan)),
        ),
        max_size=25,
    )
)
def test_the_front_is_what_comparing_all_pairs_gives(points):
    cost, gain = np.array([each[0] for each in points]), np.array([each[1] for each in points])

    def beats(one, other):
        return one[0] <= other[0] and one[1] >= other[1] and one != other

    expected = [
        not np.isnan(point).any()
        and not any(beats(other, point) for other in points)
        and point not in points[:place]  # of equal points the first
        for place, point in enumerate(points)
    ]
    assert on_front(cost, gain).tolist() == expected


def test_costs_are_those_of_the_trace_and_the_front_is_marked(one_seed):
    table, figure = make("pareto", one_seed)
    for record in one_seed:
        point = table.where(label=record.label, series="operating point")
        metrics = record.metrics
        assert point["operations"].item() == metrics["acs"] + metrics["macs"]
        assert point["input_events"].item() == metrics["input_events"]
        trace, sweep = record.trace(), table.where(label=record.label, series="threshold sweep")
        for row in (0, 25, 59):  # a plain loop over samples
            operations, events = [], []
            for each in range(len(trace)):
                above = trace.evidence[each].max(axis=1) >= np.float32(sweep["threshold"][row])
                step = int(above.argmax()) if above.any() else trace.n_steps - 1
                operations.append(trace.acs[each, step] + trace.macs[each, step])
                events.append(trace.input_events[each, step])
            assert sweep["operations"][row] == pytest.approx(np.mean(operations))
            assert sweep["input_events"][row] == pytest.approx(np.mean(events))
    for axes, cost in zip(figure.axes, ("operations", "input_events"), strict=True):
        on = table.rows(table[f"front_{cost}"])
        front = drawn(axes, "Pareto front")
        assert sorted(front.get_xdata()) == sorted(on[cost])
        for record in one_seed:
            own = on.where(label=record.label, series="threshold sweep")
            assert drawn(axes, f"{record.label}: on the front").get_xdata().tolist() == own[cost].tolist()
    assert "AC" in texts(figure)


def test_half_widths_are_of_the_sum_of_both_operations(two_models):
    table, _ = make("pareto", two_models)
    point = table.where(label="RC-LSTM", series="operating point")
    expected = mean_interval([each.metrics["acs"] + each.metrics["macs"] for each in two_models[:3]])
    assert point["operations"].item() == pytest.approx(expected.mean)
    assert point["operations_half_width"].item() == pytest.approx(expected.half_width)


def test_operations_that_nobody_counted_leave_the_panel_of_events(make_run, tiny_trace):
    blind = dataclasses.replace(tiny_trace, acs=np.full((4, 3), np.nan), macs=np.full((4, 3), np.nan))
    without = make_run(blind, label="blind")
    table, figure = make("pareto", [without])
    assert len(figure.axes) == 1
    assert not table["front_operations"].any()
    assert table["front_input_events"].any()
    both, figure = make("pareto", [without, make_run(tiny_trace, label="counted")])
    assert len(figure.axes) == 2
    assert both.rows(both["front_operations"]).distinct("label") == ["counted"]
    assert "blind (operations not counted)" in texts(figure)


# energy


def test_energy_by_hand(make_run, tiny_trace):
    # threshold 0.95: decided at steps 0, 2, 0 and forced at 2
    acs, macs = (10 + 20 * 3 + 30 + 40 * 3) / 4, 100 * (1 + 3 + 1 + 3) / 4
    table, figure = make("energy-vs-accuracy", [make_run(tiny_trace)])
    point = table.where(series="operating point")
    assert point["energy_pj"].item() == pytest.approx(0.9 * acs + 4.6 * macs)
    assert point["energy_pj"].item() == pytest.approx(969.5)
    assert "0.9 pJ per AC and 4.6 pJ per MAC (45 nm, 32-bit float, Horowitz, ISSCC 2014)" in texts(figure)
    assert "not a measurement" in texts(figure)
    assert "RC-LSTM: 50.0 % for 969 pJ" in texts(figure)


def test_energy_under_another_table():
    other = dataclasses.replace(TABLES["int8, 45 nm"], ac_pj=1.0, mac_pj=10.0)
    assert energy_pj(np.array([2, 3]), np.array([1, 0]), other).tolist() == [12, 3]
    assert np.isnan(energy_pj(np.array([np.nan]), np.array([1.0]))).all()
    spelt = [spelt_energy(value) for value in (3, 1520, 2.5e6, 7e9)]
    assert spelt == ["3 pJ", "1.52 nJ", "2.5 µJ", "7 mJ"]


def test_a_model_that_counts_nothing_is_left_out_and_the_others_keep_their_colours(make_run, tiny_trace):
    blind = dataclasses.replace(tiny_trace, acs=np.full((4, 3), np.nan), macs=np.full((4, 3), np.nan))
    runs = [make_run(blind, label="blind"), make_run(tiny_trace, label="counted")]
    table, figure = make("energy-vs-accuracy", runs)
    assert table.distinct("label") == ["counted"]
    line = drawn(figure.axes[0], "counted: threshold sweep")
    assert line.get_color() == style.looks(["blind", "counted"])["counted"].colour
    assert len(figures.build("energy-vs-accuracy", {}).table(group_runs(runs[:1]))) == 0


# decision time per class


def test_classes_by_hand(make_run, tiny_trace):
    # class 0: right at step 0, wrong at step 0; class 1: right at step 2, forced there and wrong
    table, figure = make("decision-time-per-class", [make_run(tiny_trace)])
    assert table["class"].tolist() == [0, 1]
    assert table["n_judged"].tolist() == [2, 2]
    assert table["mean_step"].tolist() == [0, 2]
    assert table["accuracy"].tolist() == [0.5, 0.5]
    assert table["forced"].tolist() == [0, 0.5]
    assert table["q10"].tolist() == table["q90"].tolist() == [0, 2]
    (axes,) = figure.axes
    assert drawn(axes, "mean").get_xdata().tolist() == [0, 2]
    assert [text.get_text() for text in axes.texts] == ["50.0", "50.0"]


def test_spread_is_over_all_seeds_and_means_have_intervals(two_models):
    table, _ = make("decision-time-per-class", two_models)
    judged = [record.decisions() for record in two_models[:3]]
    for each in range(5):
        row = table.where(label="RC-LSTM", **{"class": each})
        steps = [one["step"][one["true_label"] == each] for one in judged]
        assert row["q75"].item() == np.quantile(np.concatenate(steps), 0.75)
        expected = mean_interval([one.mean() for one in steps])
        assert row["mean_step"].item() == pytest.approx(expected.mean)
        assert row["mean_step_half_width"].item() == pytest.approx(expected.half_width)
        assert row["n_judged"].item() == sum(map(len, steps))


def test_a_class_that_one_seed_has_no_sample_of_has_no_mean(make_run, tiny_trace):
    one = dataclasses.replace(tiny_trace, labels=np.zeros(4, np.int64))
    table, figure = make("decision-time-per-class", [make_run(tiny_trace), make_run(one, seed=1)])
    assert table["n_judged"].tolist() == [6, 2]
    assert np.isnan(table["mean_step"]).tolist() == [False, True]
    figure.draw_without_rendering()


# reliability


def test_bins_are_those_of_scikit_learn(two_models):
    table, _ = make("reliability", two_models)
    assert table.distinct("label") == ["RC-LSTM"], "a membrane potential is no confidence"
    judged = [record.decisions() for record in two_models[:3]]
    right = np.concatenate([each["label"] == each["true_label"] for each in judged])
    said = np.concatenate([each["evidence"] for each in judged]).astype(np.float64)
    accuracy, confidence = calibration_curve(right, said, n_bins=15)
    filled = table.rows(table["n"] > 0)
    np.testing.assert_allclose(filled["accuracy"], accuracy)
    np.testing.assert_allclose(filled["confidence"], confidence)
    assert table["n"].sum() == 1200
    assert table["share_decided"].sum() + table["share_forced"].sum() == pytest.approx(1)
    forced = np.concatenate([~each["decided"] for each in judged])
    assert table["share_forced"].sum() == pytest.approx(forced.mean())


def test_calibration_error_over_seeds(two_models):
    table, figure = make("reliability", two_models)
    errors = []
    for record in two_models[:3]:
        judged = record.decisions()
        total = 0.0
        said = judged["evidence"].astype(float)
        for low in range(15):
            inside = (said > low / 15) & (said <= (low + 1) / 15)
            if inside.any():
                total += inside.mean() * abs(
                    said[inside].mean() - (judged["label"] == judged["true_label"])[inside].mean()
                )
        errors.append(total)
    expected = mean_interval(errors)
    assert table["ece"][0] == pytest.approx(expected.mean)
    assert table["ece_half_width"][0] == pytest.approx(expected.half_width)
    assert f"ECE {100 * expected.mean:.2f} ± {100 * expected.half_width:.2f} %" in texts(figure)


def test_only_membranes_give_no_reliability(two_models):
    assert len(figures.build("reliability", {}).table(group_runs(two_models[3:]))) == 0


def test_five_reliable_models_leave_no_empty_frame(make_run, tiny_trace):
    _, figure = make("reliability", [make_run(tiny_trace, label=f"model {each}") for each in range(5)])
    assert [axes.axison for axes in figure.axes] == [True] * 8 + [False, True, True, False]


# confusion


def test_counts_are_those_of_scikit_learn_summed_over_seeds(two_models):
    table, figure = make("confusion", two_models)
    for label, records, axes in (
        ("RC-LSTM", two_models[:3], figure.axes[0]),
        ("RC-SNN", two_models[3:], figure.axes[1]),
    ):
        judged = [record.decisions() for record in records]
        expected = sum(
            confusion_matrix(each["true_label"], each["label"], labels=range(5)) for each in judged
        )
        rows = table.where(label=label)
        assert rows["count"].reshape(5, 5).tolist() == expected.tolist()
        np.testing.assert_allclose(
            rows["share"].reshape(5, 5), expected / expected.sum(axis=1, keepdims=True)
        )
        assert [int(text.get_text()) for text in axes.texts] == expected[expected > 0].tolist()
        assert f"{100 * expected.trace() / expected.sum():.1f} % right" in axes.get_title(loc="left")


def test_a_class_without_a_sample_has_no_share(make_run, tiny_trace):
    one = dataclasses.replace(tiny_trace, labels=np.zeros(4, np.int64))
    table, figure = make("confusion", [make_run(one)])  # decided: 0, 1, 1, and 0 by force
    assert table["count"].tolist() == [2, 2, 0, 0]
    assert np.isnan(table["share"]).tolist() == [False, False, True, True]
    figure.draw_without_rendering()


# decision time against a property


def test_properties_by_hand(make_run, tiny_trace):
    table, figure = make("decision-time-vs-property", [make_run(tiny_trace)])
    assert table.distinct("property") == ["events"], "all have the same length"
    assert table["value"].tolist() == [3, 6, 9, 12]
    assert table["mean_step"].tolist() == [0, 2, 0, 2]
    assert table["accuracy"].tolist() == [1, 1, 0, 0]
    assert table["forced"].tolist() == [0, 0, 0, 1]
    upper, lower = figure.axes
    assert drawn(upper, "RC-LSTM").get_ydata().tolist() == [0, 2, 0, 2]
    assert drawn(lower, "RC-LSTM").get_ydata().tolist() == [1, 1, 0, 0]


def test_length_is_a_property_where_it_differs(make_run, tiny_trace):
    shorter = dataclasses.replace(tiny_trace, lengths=np.array([3, 3, 3, 2]))
    table, figure = make("decision-time-vs-property", [make_run(shorter)])
    rows = table.where(property="length")
    assert rows["value"].tolist() == [2, 3]
    assert rows["n_binned"].tolist() == [1, 3]
    assert rows["mean_step"].tolist() == [1, pytest.approx(2 / 3)]
    assert len(figure.axes) == 4


def test_as_many_events_at_every_step_are_no_property_of_their_own(make_run, tiny_trace):
    lengths = np.array([3, 3, 3, 2])
    events = 5 * np.minimum(np.arange(1, 4), lengths[:, None])
    same = dataclasses.replace(tiny_trace, lengths=lengths, input_events=events)
    assert make("decision-time-vs-property", [make_run(same)])[0].distinct("property") == ["length"]
    uncounted = dataclasses.replace(tiny_trace, input_events=np.full((4, 3), np.nan))
    assert (
        len(figures.build("decision-time-vs-property", {}).table(group_runs([make_run(uncounted, seed=1)])))
        == 0
    )


def test_noise_of_the_toy_and_seeds(make_run):
    ids = np.arange(2_000_000, 2_000_160)
    _, labels = toys.noisy_sign(ids)
    noise = toys.noise_std(ids)
    rank = np.argsort(np.argsort(noise))
    runs = []
    for seed in (0, 1):
        evidence = np.full((160, 40, 2), 0.5)
        for row, step in enumerate(rank // 20 + seed):
            evidence[row, step:, labels[row]], evidence[row, step:, 1 - labels[row]] = 1, 0
        ones = np.ones((160, 40))
        trace = Trace(evidence.astype(np.float32), labels, ids, ones, ones, ones)
        runs.append(make_run(trace, dataset={"name": "noisy-sign"}, seed=seed))
    table, _ = make("decision-time-vs-property", runs)
    assert table.distinct("property") == ["noise"]
    assert table["mean_step"].tolist() == [0.5 + each for each in range(8)]
    np.testing.assert_allclose(table["value"], np.sort(noise).reshape(8, 20).mean(axis=1))
    assert np.isfinite(table["mean_step_half_width"]).all()


@given(st.lists(st.integers(0, 30), min_size=1, max_size=200))
def test_equal_values_share_a_bin_and_no_bin_is_empty(values):
    values = np.array(values, np.float64)
    edges = bin_edges(values)
    if len(np.unique(values)) == 1:
        assert not len(edges)
        return
    assert len(edges) <= 8 or len(np.unique(values)) <= 8
    assert values.max() == edges[-1]
    place = np.searchsorted(edges, values)
    assert set(place.tolist()) == set(range(len(edges)))


# options and missing traces


def test_a_run_without_a_trace_has_its_mark_beside_the_curves_of_others(make_run, tiny_trace):
    bare, whole = make_run(tiny_trace, label="bare"), make_run(tiny_trace, label="whole")
    (bare.folder / "trace.npz").unlink()
    for name in ("pareto", "energy-vs-accuracy"):
        table, figure = make(name, [bare, whole])
        assert table.where(label="bare").distinct("series") == ["operating point"]
        assert set(table.where(label="whole").distinct("series")) == {"threshold sweep", "operating point"}
        figure.draw_without_rendering()


@pytest.mark.parametrize("name", [*NAMES])
def test_panels_lie_below_one_another_in_a_column(name, make_run, tiny_trace):
    shorter = dataclasses.replace(tiny_trace, lengths=np.array([3, 3, 3, 2]))
    runs = [make_run(shorter, label=label) for label in ("one", "another")]
    with style.applied(FigureOptions(columns=1)):
        _, figure = make(name, runs)
        figure.draw_without_rendering()
    assert figure.get_figwidth() == style.COLUMN_INCHES
    places = [axes.get_subplotspec().colspan for axes in figure.axes]
    assert {(place.start, place.stop) for place in places} == {(0, 1)}


@pytest.mark.parametrize("name", ["decision-time-per-class", "decision-time-vs-property"])
def test_decision_times_in_milliseconds(name, make_run, tiny_trace):
    run = make_run(dataclasses.replace(tiny_trace, step_ms=20.0))
    with style.applied(FigureOptions(time="ms")):
        _, figure = make(name, [run])
    drawn_at = drawn(figure.axes[0], "mean" if name == "decision-time-per-class" else "RC-LSTM")
    steps = drawn_at.get_xdata() if name == "decision-time-per-class" else drawn_at.get_ydata()
    assert set(steps) == {20, 60}, "steps 0 and 2"
    assert "(ms)" in texts(figure)


def test_scales_and_values_on_request(make_run, tiny_trace):
    run = make_run(tiny_trace)
    with style.applied(FigureOptions(xscale="linear", values="table")):
        for name in ("pareto", "energy-vs-accuracy"):
            _, figure = make(name, [run])
            assert figure.axes[0].get_xscale() == "linear"
        assert "pJ for" not in texts(figure)
        assert "% for" not in texts(figure)
    with style.applied(FigureOptions(xscale="log")):
        _, figure = make("pareto", [run])
        assert {axes.get_xscale() for axes in figure.axes} == {"log"}


def test_bins_of_few_samples_are_hollow_and_in_no_line(two_models):
    table, figure = make("reliability", two_models[:3])
    many = table.rows(table["n"] >= 20)
    few = table.rows((table["n"] > 0) & (table["n"] < 20))
    assert len(many)
    assert drawn(figure.axes[0], "RC-LSTM").get_xdata().tolist() == many["confidence"].tolist()
    (hollow,) = [line for line in figure.axes[0].get_lines() if line.get_markerfacecolor() == "white"]
    assert hollow.get_linestyle() == "None"
    assert hollow.get_xdata().tolist() == few["confidence"].tolist()
