"""Runs of different comparisons, numbers of steps and corpora in one figure: each number says whose it is."""

import dataclasses

import numpy as np
import pytest
from matplotlib.text import Text

from rc_vs_snn.analysis.figure_options import FigureOptions
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.style import applied
from rc_vs_snn.analysis.tables import summary_markdown
from rc_vs_snn.contracts import Trace
from rc_vs_snn.registry import figures


def texts(figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))


def drawn(name, records, **options):
    figure = figures.build(name, {})
    table = figure.table(group_runs(records))
    with applied(FigureOptions(**options)):
        return table, figure.draw(table)


@pytest.fixture
def two_corpora(make_run, simulate):
    """The same two labels on two corpora of different length, two seeds each."""
    return [
        make_run(
            simulate(10 * seed + n_steps, n, n_steps, 5, 2.4, "probability"), label=f"{label}", seed=seed,
            dataset={"name": corpus}, encoder={"name": "step", "n_steps": n_steps},
        )
        for corpus, n, n_steps in (("mnist", 60, 4), ("digits", 40, 9))
        for label in ("A", "B")
        for seed in (0, 1)
    ]  # fmt: skip


@pytest.fixture
def make_run(tmp_path, write_run):
    """Every run lies in a folder of its own, as those of different comparisons do."""
    count = iter(range(100))

    def make(trace: Trace, **options):
        return write_run(tmp_path / f"comparison {next(count)}", trace, **options)

    return make


def test_a_label_on_two_corpora_is_told_apart_by_the_corpus_alone(two_corpora):
    labels = [group.label for group in group_runs(two_corpora)]
    assert labels == ["A (mnist)", "B (mnist)", "A (digits)", "B (digits)"]


def test_what_else_differs_on_a_corpus_is_named_beside_it(make_run, tiny_trace):
    runs = [
        make_run(
            tiny_trace, label="A", dataset={"name": corpus}, encoder={"name": "step", "n_steps": n_steps}
        )
        for corpus, n_steps in (("mnist", 3), ("mnist", 4), ("digits", 9))
    ]
    assert [group.label for group in group_runs(runs)] == [
        "A (mnist, encoder.n_steps=3)", "A (mnist, encoder.n_steps=4)", "A (digits)",
    ]  # fmt: skip


def test_the_caption_and_the_axis_say_whose_steps_and_samples_they_are(
    two_corpora, make_run, tiny_trace, simulate
):
    _, figure = drawn("accuracy-vs-decision-step", two_corpora)
    assert "mnist: 60 test samples, T = 4; digits: 40 test samples, T = 9" in texts(figure)
    assert figure.axes[0].get_xlabel() == "Mean decision step (0-based)"
    assert figure.axes[0].get_xlim()[1] > 3
    shorter = Trace(**{**vars(tiny_trace), "lengths": np.empty(0, np.int64)})
    other = simulate(1, 4, 5, 2, 2.0, "probability")
    _, figure = drawn("accuracy-vs-decision-step", [make_run(shorter, label="A"), make_run(other, label="B")])
    assert "digits: 4 test samples, T = 3 (A), 5 (B)" in texts(figure)
    many = [make_run(tiny_trace, label=str(label)) for label in range(5)] + [make_run(other, label="B")]
    _, figure = drawn("accuracy-vs-decision-step", many)
    assert "digits: 4 test samples, T = 3 / 5" in texts(figure)


def test_durations_of_their_own_meet_on_one_axis_of_milliseconds(make_run, tiny_trace):
    runs = [
        make_run(dataclasses.replace(tiny_trace, step_ms=ms), label=label, dataset={"name": label})
        for label, ms in (("speech", 20.0), ("events", 5.0))
    ]
    table, figure = drawn("accuracy-vs-decision-step", runs, time="ms")
    marks = {line.get_label(): line.get_xdata() for line in figure.axes[0].get_lines()}
    assert (marks["speech: operating point"], marks["events: operating point"]) == ([40.0], [10.0])
    assert table.where(label="events")["step_ms"].tolist() == [5.0] * len(table.where(label="events"))
    _, figure = drawn("accuracy-vs-decision-step", runs)
    assert figure.axes[0].child_axes == [], "no second axis where steps last differently"


def test_differences_are_taken_on_one_corpus(two_corpora):
    text = summary_markdown(group_runs(two_corpora))
    assert text.count("Paired differences") == 1
    heads = [line for line in text.splitlines() if line.startswith("| minus")]
    assert [head.split("|")[1].strip() for head in heads] == ["minus A (mnist)", "minus A (digits)"]
    below = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| B (")]
    assert below == ["B (mnist)", "B (digits)", "B (mnist)", "B (digits)"]


def test_objectives_of_two_corpora_have_panels_of_their_own(make_run, simulate):
    runs = [
        make_run(
            simulate(seed, 60, n_steps, 5, 2.4, "probability"), label=f"{objective}, {corpus}",
            dataset={"name": corpus}, objective={"name": objective},
        )
        for seed, (corpus, n_steps, objective) in enumerate(
            [("mnist", 4, "rank-coding"), ("mnist", 4, "last-step"),
             ("digits", 6, "rank-coding"), ("digits", 6, "last-step"), ("other", 3, "last-step")]
        )
    ]  # fmt: skip
    table, figure = drawn("objective-trade-off", runs)
    assert table.distinct("dataset") == ["mnist", "digits"], "one objective compares nothing"
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["mnist, rc-lstm, T = 4", "digits, rc-lstm, T = 6"]
    assert all(axes.get_lines() for axes in figure.axes), "no empty panel"


def test_nine_labels_are_told_apart_by_colour_and_marker_together():
    from rc_vs_snn.analysis.style import looks

    found = looks([str(label) for label in range(56)]).values()
    assert len({(look.colour, look.marker) for look in found}) == 56
