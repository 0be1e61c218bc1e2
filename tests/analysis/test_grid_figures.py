"""Axes told from configurations, by hand; the figures and the table over them; the figure of a search."""

import dataclasses
import math

import numpy as np
import pytest
from conftest import simulate
from matplotlib.text import Text

import rc_vs_snn as rv
from rc_vs_snn.analysis import FigureOptions, style
from rc_vs_snn.analysis.axes import run_grid
from rc_vs_snn.analysis.grid_table import best_by_valid, grid_markdown, grid_table
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.on_valid import best_first
from rc_vs_snn.analysis.search import draw, front_of, search_markdown, search_table, write_search
from rc_vs_snn.records.on_valid import valid_number
from rc_vs_snn.registry import figures
from rc_vs_snn.testing import check_figure

PNG = FigureOptions(formats=["png"])
FIGURES = ("grid-lines", "grid-heat-map")


def points(make_run, axes, seeds=(0,), **fixed):
    """Write one run per point and seed, each with some sections of its configuration."""
    found = []
    for place, sections in enumerate(axes):
        n_steps = sections.get("encoder", {}).get("n_steps", 6)
        for seed in seeds:
            trace = simulate(100 * place + seed, 120, n_steps, 4, 2.4, "probability")
            found.append(make_run(trace, label=f"point {place}", seed=seed, **{**fixed, **sections}))
    return found


def axes_of(records):
    return {axis.name: axis for axis in run_grid(group_runs(records)).axes}


@pytest.fixture
def product(make_run):
    """Two models, T = 4 and 8, and two thresholds; the second model has another size, too."""
    return points(
        make_run,
        [
            {
                "model": model, "encoder": {"name": "latency", "n_steps": n_steps},
                "rule": {"name": "first-spike", "threshold": threshold},
            }
            for model in ({"name": "rc-lstm", "hidden": 8}, {"name": "rank-snn", "hidden": 9, "gain": 2.0})
            for n_steps in (8, 4)
            for threshold in (0.9, 0.95)
        ],
        seeds=(0, 1),
    )  # fmt: skip


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def test_axes_of_a_product(product):
    grid = run_grid(group_runs(product))
    model, n_steps, threshold = grid.axes
    assert model.keys == ("model.name", "model.hidden", "model.gain")  # what goes along is no axis of its own
    assert (model.name, model.values, model.is_of_families) == ("model", ("rc-lstm", "rank-snn"), True)
    assert (n_steps.name, n_steps.values, n_steps.numbers) == ("n_steps", ("4", "8"), (4.0, 8.0))
    assert n_steps.places == (1, 1, 0, 0, 1, 1, 0, 0)
    assert (threshold.keys, threshold.numbers) == (("rule.threshold",), (0.9, 0.95))
    assert [axis.name for axis in grid.varied] == ["n_steps", "threshold"]
    assert threshold.told(1) == "threshold = 0.95"


def test_zipped_settings_are_one_axis_and_a_condition_leaves_a_default(make_run):
    zipped = [
        {"encoder": {"name": "latency", "n_steps": n}, "training": {"epochs": n + 1}} for n in (4, 5, 6)
    ]
    (axis,) = run_grid(group_runs(points(make_run, zipped))).axes
    assert (axis.name, axis.values, axis.numbers) == (
        "n_steps, epochs",
        ("4, 5", "5, 6", "6, 7"),
        (4.0, 5.0, 6.0),
    )


def test_a_condition_leaves_a_default(make_run):
    objectives = [{"name": "last-step"}, {"name": "rank-coding"}, {"name": "rank-coding", "beta": 0.1}]
    found = axes_of(points(make_run, [{"objective": objective} for objective in objectives]))
    assert found["objective"].values == ("last-step", "rank-coding")
    assert (found["beta"].values, found["beta"].numbers) == (("default", "0.1"), None)


def test_no_grid_is_made_of_models_alone_nor_of_what_differs_here_and_there(two_models, make_run):
    groups = group_runs(two_models)
    assert run_grid(groups).varied == ()
    assert len(grid_table(groups)) == 0
    ablation = [
        {"training": {"epochs": 1}}, {"training": {"epochs": 2}}, {"objective": {"name": "last-step"}},
        {"objective": {"name": "last-step"}, "model": {"name": "rc-gru"}, "encoder": {"name": "rate"}},
        {"dataset": {"name": "digits", "n": 3}, "rule": {"name": "first-spike", "threshold": 0.5}},
    ]  # fmt: skip
    assert run_grid(group_runs(points(make_run, ablation))).varied == ()
    assert run_grid(group_runs(two_models[:1])).axes == ()
    for name in FIGURES:
        assert len(figures.build(name, {}).table(groups)) == 0


def test_the_number_on_valid_is_that_of_the_kept_epoch(make_run):
    trace = simulate(0, 60, 5, 4, 2.0, "probability")
    record = make_run(trace)
    best = max(record.history, key=lambda entry: entry["valid_accuracy"])
    assert valid_number(record, "valid_mean_step") == best["valid_mean_step"]
    last = make_run(trace, label="last", training={"keep": "last"})
    assert valid_number(last, "valid_accuracy") == last.history[-1]["valid_accuracy"]
    assert math.isnan(valid_number(make_run(trace, label="none", history=False), "valid_accuracy"))
    assert best_first([0.9, 0.95, 0.95, math.nan], [1.0, 3.0, 2.0, 0.0]) == 2
    assert best_first([math.nan], [1.0]) is None


def test_the_best_of_each_model_is_chosen_on_valid_and_read_on_test(product):
    groups = group_runs(product)
    grid = run_grid(groups)
    means = [np.mean([valid_number(run.record, "valid_accuracy") for run in group.runs]) for group in groups]
    best = best_by_valid(groups, grid)
    assert best == {int(np.argmax(means[:4])), 4 + int(np.argmax(means[4:]))}
    table = grid_table(groups)
    assert list(table.columns)[:3] == ["model.name", "encoder.n_steps", "rule.threshold"]
    assert table["encoder.n_steps"].tolist() == ["8", "8", "4", "4"] * 2
    assert set(np.flatnonzero(table["best_by_valid"])) == best
    np.testing.assert_allclose(table["valid_accuracy"], means)
    np.testing.assert_allclose(table["accuracy"], [group.interval("accuracy").mean for group in groups])
    text = grid_markdown(groups, table)
    assert text.count("| best |") == 0  # right-aligned: look for the word
    assert (
        sum(line.split("|")[6].strip() == "best" for line in text.splitlines() if line.startswith("|")) == 2
    )


def test_lines_of_a_grid(product):
    table = figures.build("grid-lines", {}).table(group_runs(product))
    assert table.distinct("axis") == ["n_steps"]
    assert table.distinct("panel") == ["rc-lstm", "rank-snn"]
    assert table.distinct("line") == ["threshold = 0.9", "threshold = 0.95"]
    figure = figures.build("grid-lines", {}).draw(table)
    assert len(figure.axes) == 4
    above = figure.axes[0]
    lines = {line.get_label(): line for line in above.get_lines()}
    first = table.where(panel="rc-lstm", line="threshold = 0.9")
    drawn = next(line for line in lines.values() if len(line.get_xdata()) == 2)
    assert drawn.get_xdata().tolist() == [4, 8]
    assert drawn.get_ydata().tolist() == first["accuracy"][np.argsort(first["at"])].tolist()
    assert [label.get_text() for label in above.get_xticklabels()] == ["8", "4"]
    assert "best by valid" in texts(figure)


def test_cells_of_a_grid(product):
    table = figures.build("grid-heat-map", {}).table(group_runs(product))
    assert table.distinct("panel") == ["rc-lstm", "rank-snn"]
    assert (table.distinct("x_axis"), table.distinct("y_axis")) == (["n_steps"], ["threshold"])
    figure = figures.build("grid-heat-map", {}).draw(table)
    assert len(figure.axes) == 6
    image = figure.axes[1].get_images()[0].get_array()
    here = table.where(panel="rc-lstm", x_value="8", y_value="0.95")
    assert image[1, 1] == here["accuracy"].item()
    assert f"{100 * here['accuracy'].item():.1f} %" in texts(figure)
    framed = [patch for axes in figure.axes for patch in axes.patches if not patch.get_fill()]
    assert len(framed) == 6  # two points, three numbers each


def test_both_figures_keep_the_promises_of_their_kind(product):
    for name in FIGURES:
        check_figure(figures.build(name, {}), group_runs(product))


def test_texts_wide_ranges_and_points_without_validation(make_run):
    rates = [
        {"training": {"learning_rate": rate}, "encoder": {"name": code}}
        for rate in (1e-4, 1e-3, 1e-2)
        for code in ("latency", "a-code-of-a-very-long-name")
    ]
    groups = group_runs(points(make_run, rates, history=False))
    lines, cells = (figures.build(name, {}) for name in FIGURES)
    table = lines.table(groups)
    assert not table["best_by_valid"].any()
    figure = lines.draw(table)
    assert figure.axes[0].get_xscale() == "log"
    assert "best by valid" not in texts(figure)
    said = texts(cells.draw(cells.table(groups)))
    assert "Valid accuracy" not in said
    assert "a-code-of-a-v…" in said


def test_they_are_written_with_the_others_and_in_one_column(product, tmp_path):
    names = {path.name for path in rv.write_figures(product, tmp_path, only=FIGURES, options=PNG)}
    assert names >= {"grid.md", "grid.csv", "grid-lines.png", "grid-heat-map.csv"}
    with style.applied(FigureOptions(columns=1)):
        figure = figures.build("grid-lines", {}).draw(
            figures.build("grid-lines", {}).table(group_runs(product))
        )
    assert figure.get_figwidth() == style.COLUMN_INCHES


def test_decision_times_of_points_whose_steps_last_differently(make_run):
    """A step of 2 ms and one of 5 ms: by step s there are (s + 1) steps of input."""
    records = [
        make_run(
            dataclasses.replace(simulate(n_steps, 120, n_steps, 4, 2.4, "probability"), step_ms=step_ms),
            label=f"T = {n_steps}",
        )
        for n_steps, step_ms in ((4, 5.0), (8, 2.0))
    ]
    with style.applied(FigureOptions(time="ms")):
        table = figures.build("grid-lines", {}).table(group_runs(records))
        figure = figures.build("grid-lines", {}).draw(table)
    drawn = next(line for line in figure.axes[1].get_lines() if len(line.get_xdata()) == 2)
    expected = [(record.metric("mean_step") + 1) * step for record, step in zip(records, (5, 2), strict=True)]
    np.testing.assert_allclose(drawn.get_ydata(), expected)


@pytest.fixture
def trials(make_run):
    """Four trials: one failed, two on the front, one beaten by another; the front is judged on test."""
    found = []
    for number, (accuracy, step) in enumerate([(0.9, 2.0), (0.8, 1.0), (0.8, 3.0), (0.99, 0.1)]):
        trace = simulate(number, 60, 5, 4, 2.0, "probability")
        status = {2: "skipped", 3: "failed"}.get(number, "done")
        record = make_run(trace, label=f"A, trial {number}", status=status, reason="the loss became nan",
                          model={"name": "rc-lstm", "hidden": 8 + number})  # fmt: skip
        record.history[:] = [{"epoch": 0, "valid_accuracy": accuracy, "valid_mean_step": step}]
        found.append(record)
    return found


def test_the_front_of_a_search_by_hand(trials, tmp_path):
    assert front_of(trials) == [1, 0]
    table = search_table(trials, ["model.hidden", "rule"])
    assert table["on_front"].tolist() == [True, True, False, False]
    assert table["model.hidden"].tolist() == ["8", "9", "10", "11"]
    assert table["rule"].tolist()[0] == "first-spike, threshold=0.95"
    assert table["status"].tolist() == ["judged on test", "judged on test", "judged on valid", "failed"]
    assert np.isnan(table["valid_accuracy"][3])
    front = [trials[place] for place in front_of(trials)]
    text = search_markdown(trials, front, ["model.hidden"])
    assert "4 trials, 1 failed" in text
    assert "- A, trial 3: the loss became nan" in text
    row = next(line for line in text.splitlines() if line.startswith("| A, trial 1"))
    assert [cell.strip() for cell in row.split("|")[2:5]] == ["9", "80.00", "1.00"]
    assert f"{100 * trials[1].metric('accuracy'):.2f}" in row
    assert "goes on" in search_markdown(trials, [], ["model.hidden"])
    figure = draw(table)
    steps = next(line for line in figure.axes[0].get_lines() if line.get_drawstyle() == "steps-post")
    assert steps.get_xdata().tolist() == [1.0, 2.0]
    assert {"0", "1"} <= set(texts(figure))
    names = {path.name for path in write_search(trials, front, ["model.hidden"], tmp_path / "figures")}
    assert names == {"search.png", "search.svg", "search.pdf", "search.csv", "search.md"}
    assert write_search(trials[3:], [], ["model.hidden"], tmp_path / "none") == []
