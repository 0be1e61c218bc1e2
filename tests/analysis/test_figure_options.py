"""What a person may choose about figures: checked when it is chosen, and kept to when it is drawn."""

import subprocess
import sys
import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from rc_vs_snn.analysis import FigureOptions, style, time_axis, write_figures
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.figure_options import arranged, label_order, label_pairs
from rc_vs_snn.analysis.fitting import fit_names
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.intervals import Interval
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import figures

NAMES = [
    "accuracy-vs-decision-step",
    "cost-to-decision",
    "coverage-vs-accuracy",
    "decision-step-histograms",
    "training-history",
]
COLUMN = FigureOptions(width="3.4in", columns=1)


def draw(name: str, records, options: FigureOptions) -> Figure:
    figure = figures.build(name, {})
    table = figure.table(arranged(group_runs(records), options))
    with style.applied(options):
        drawn = figure.draw(table)
        fit_names(drawn)
        drawn.draw_without_rendering()
    return drawn


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.fixture
def timed(make_run, tiny_trace):
    """A run whose steps last 20 ms and one whose last 5 ms."""
    return [
        make_run(replace(tiny_trace, step_ms=20.0), label="slow"),
        make_run(replace(tiny_trace, step_ms=5.0), label="fast"),
    ]


@pytest.mark.parametrize(
    ("width", "inches"),
    [
        ("3.4in", 3.4),
        ("3.4", 3.4),
        (3, 3.0),
        ("8.636cm", 3.4),
        ("86.36 mm", 3.4),
        ("245.718pt", 3.4),
        (".5e", 0),
    ],
)
def test_a_width_has_a_unit(width, inches):
    if not inches:
        with pytest.raises(InputError, match="a width is a number with one of the units in, cm, mm, pt"):
            FigureOptions(width=width)
    else:
        assert FigureOptions(width=width).inches == pytest.approx(inches)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"width": "1in"}, "between 2in and 20in, got 1in"),
        ({"width": "nan"}, "a width is a number"),
        ({"width": float("nan")}, "between 2in and 20in"),
        ({"columns": 3}, "columns must be None or 1 or 2, got 3"),
        ({"columns": True}, "got True"),
        ({"xscale": "lg"}, "xscale must be None or log or linear"),
        ({"time": "s"}, "time must be steps or ms"),
        ({"values": "below"}, "values must be legend or table"),
        ({"formats": ["pgff"]}, "unknown format 'pgff'; did you mean 'pgf'"),
        ({"formats": []}, "at least one of png, svg, pdf, pgf"),
        ({"formats": "png"}, "at least one of"),
        ({"formats": ["png", "png"]}, "names 'png' twice"),
        ({"order": ["A", "A"]}, "order names 'A' twice"),
        ({"labels": {"A": " "}}, "the new label of 'A' is empty"),
    ],
)
def test_a_wrong_choice_is_told_when_it_is_made(options, says):
    with pytest.raises(InputError, match=says):
        FigureOptions(**options)


def test_labels_are_renamed_and_ordered(two_models):
    groups = group_runs(two_models)
    options = FigureOptions(labels={"RC-SNN": "spiking"}, order=["spiking"])
    assert [group.label for group in arranged(groups, options)] == ["spiking", "RC-LSTM"]
    by_old = FigureOptions(labels={"RC-SNN": "spiking"}, order=["RC-SNN"])
    assert [group.label for group in arranged(groups, by_old)] == ["spiking", "RC-LSTM"]
    swapped = FigureOptions(labels={"RC-SNN": "RC-LSTM", "RC-LSTM": "RC-SNN"}, order=["RC-SNN"])
    assert [group.runs[0].record.label for group in arranged(groups, swapped)] == ["RC-LSTM", "RC-SNN"]
    assert [group.label for group in groups] == ["RC-LSTM", "RC-SNN"], "the groups themselves stay"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"labels": {"RC-SN": "x"}}, "no label 'RC-SN' to rename; did you mean 'RC-SNN'"),
        ({"labels": {"RC-SNN": "RC-LSTM"}}, "'RC-LSTM' and 'RC-SNN' would both be called 'RC-LSTM'"),
        ({"labels": {"RC-SNN": "x", "RC-LSTM": "x"}}, "'RC-LSTM' and 'RC-SNN' would both be called 'x'"),
        ({"order": ["RC-LSTN"]}, "no label 'RC-LSTN' to order by; did you mean 'RC-LSTM'"),
        ({"labels": {"RC-SNN": "x"}, "order": ["x", "RC-SNN"]}, "order names 'RC-SNN' twice"),
    ],
)
def test_a_label_that_is_none_is_named_with_the_nearest(two_models, options, says):
    with pytest.raises(InputError, match=says):
        arranged(group_runs(two_models), FigureOptions(**options))


def test_labels_that_hold_commas_and_equals_signs_can_be_named():
    known = ["LSTM, last-step, T = 5", "LSTM, last-step", "LSTM", "a=b"]
    assert label_pairs(["LSTM, last-step, T = 5=five", "a=b=c=d", "LSTM=x"], known) == {
        "LSTM, last-step, T = 5": "five",
        "a=b": "c=d",
        "LSTM": "x",
    }
    assert label_order("a=b, LSTM, last-step,LSTM", known) == ["a=b", "LSTM, last-step", "LSTM"]
    for texts, says in (
        (["LSTM"], "OLD=NEW, got 'LSTM'"),
        (["LSTN=x"], "no label 'LSTN' to rename; did you mean 'LSTM'"),
        (["LSTM=x", "LSTM=y"], "to be both 'x' and 'y'"),
    ):
        with pytest.raises(InputError, match=says):
            label_pairs(texts, known)
    with pytest.raises(InputError, match="no label 'first-step' to order by"):
        label_order("LSTM,first-step", known)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("font.siz: 9\n", r"Bad key font\.siz in file .*line 1 .*mend the line"),
        ("font.size 9\n", "Missing colon"),
        ("font.size: big\n", "Could not convert 'big'"),
        ("font.size: 8\nfont.size: 9\n", "Duplicate key"),
        ("text.usetex: True\n", "text.usetex is not supported.*format pgf"),
        ("font.family: No Such Font\n", r"none of its fonts is installed \(No Such Font\)"),
        ("font.family: serif\nfont.serif: Nowhere, Nohow\n", r"installed \(Nowhere, Nohow\)"),
        (bytes(range(256)), "codec can't decode"),
    ],
)
def test_a_style_sheet_that_matplotlib_would_pass_over_is_refused(tmp_path, content, says, caplog):
    sheet = tmp_path / "paper.mplstyle"
    sheet.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=says):
        FigureOptions(style=sheet)
    assert not caplog.records, "told once"


def test_a_style_sheet_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no style sheet .*none\.mplstyle"):
        FigureOptions(style=tmp_path / "none.mplstyle")
    with pytest.raises(InputError, match="cannot read the style sheet"):
        FigureOptions(style=tmp_path)


def test_a_style_sheet_sets_fonts_and_colours_but_neither_width_nor_bytes(one_seed, tmp_path):
    sheet = tmp_path / "paper.mplstyle"
    sheet.write_text(
        "font.family: serif\nfont.serif: Nowhere, DejaVu Serif\naxes.labelsize: 11\n"
        'axes.prop_cycle: cycler("color", ["#112233", "#445566"])\n'
        "savefig.bbox: tight\nsvg.hashsalt: other\nbackend: tkagg\n"
    )
    options = FigureOptions(style=str(sheet), width=3.0)
    figure = draw(NAMES[0], one_seed, options)
    axes = figure.axes[0]
    assert axes.xaxis.label.get_fontsize() == 11
    assert axes.xaxis.label.get_fontfamily() == ["serif"]
    assert axes.get_lines()[0].get_color() == "#112233"
    with style.applied(options):
        assert [look.colour for look in style.looks("abc").values()] == ["#112233", "#445566", "#112233"]
        assert len({look.marker for look in style.looks("abc").values()}) == 3
    assert style.looks("a")["a"].colour == style.COLOURS[0]
    write_figures(one_seed, tmp_path, only=NAMES[:1], options=options)
    png = (tmp_path / f"{NAMES[0]}.png").read_bytes()
    assert int.from_bytes(png[16:20], "big") == 600  # 3 inches at 200 dots an inch


@pytest.mark.parametrize("options", [COLUMN, FigureOptions(width="7in", columns=2), FigureOptions(width=2)])
@pytest.mark.parametrize("name", NAMES)
def test_figures_are_as_wide_as_asked_and_nothing_is_cut_or_lies_on_another(name, options, two_models):
    figure = draw(
        name, two_models, replace(options, labels={"RC-SNN": "a spiking net with a rather long name"})
    )
    assert figure.get_figwidth() == options.inches
    shown = [text for legend in figure.legends for text in legend.get_texts()]
    shown += [text for text in figure.texts]
    for axes in figure.axes:
        named = [axes.xaxis.label, axes.yaxis.label, *axes.texts, *axes.findobj(Text)[-3:]]
        shown += [text for text in named if text.get_text()]
        ticks = _boxes(
            label
            for place, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=False)
            if axes.get_xlim()[0] <= place <= axes.get_xlim()[1]
        )
        assert not _overlap(ticks)
    for box in _boxes(shown):
        assert figure.bbox.x0 - 1 <= box.x0
        assert box.x1 <= figure.bbox.x1 + 1
    assert not _overlap(_boxes(text for legend in figure.legends for text in legend.get_texts()))
    assert not _overlap(_boxes(axes.yaxis.label for axes in figure.axes))
    assert not _overlap(_boxes(axes.xaxis.label for axes in figure.axes))


def _boxes(found):
    return [text.get_window_extent() for text in found if text.get_visible() and text.get_text().strip()]


def _overlap(boxes) -> bool:
    return any(one.overlaps(other) for at, one in enumerate(boxes) for other in boxes[:at])


def test_panels_lie_below_one_another_for_one_column_and_side_by_side_for_two(one_seed):
    def places(options):
        figure = draw("coverage-vs-accuracy", one_seed, options)
        return [(round(axes.get_position().x0, 1), round(axes.get_position().y0, 1)) for axes in figure.axes]

    for options in (COLUMN, FigureOptions(columns=1), FigureOptions(width=3)):
        (left, high), (other, low) = places(options)
        assert left == other
        assert high > low
    for options in (FigureOptions(), FigureOptions(columns=2), FigureOptions(width="3.4in", columns=2)):
        (left, high), (right, low) = places(options)
        assert left < right
        assert high == low


def test_a_logarithmic_axis_of_steps_is_spaced_by_the_steps_seen(one_seed):
    axes = draw(NAMES[0], one_seed, FigureOptions(xscale="log")).axes[0]
    places = axes.transData.transform([(step, 1.0) for step in (0, 1, 3, 7)])[:, 0]
    np.testing.assert_allclose(np.diff(places), places[1] - places[0], rtol=1e-6)  # 1, 2, 4, 8 steps seen
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert shown == ["0", "0.5", "1", "2", "5"]
    assert axes.get_xticks().tolist() == [0, 0.5, 1, 2, 5]
    low, high = axes.get_xlim()
    assert -1 < low < 0
    assert 7 < high < 8
    assert axes.get_xlabel() == "Mean decision step (0-based, last step: 7)"
    assert draw("cost-to-decision", one_seed, FigureOptions(xscale="linear")).axes[0].get_xscale() == "linear"


def test_decisions_are_told_in_milliseconds_of_input(timed):
    options = FigureOptions(time="ms")
    figure = draw(NAMES[0], timed, options)
    axes = figure.axes[0]
    marks = {drawn.get_label(): drawn.get_xdata() for drawn in axes.get_lines()}
    # mean step 1: two steps of 20 ms, or of 5 ms, have been seen
    assert marks["slow: operating point"] == [40.0]
    assert marks["fast: operating point"] == [10.0]
    assert marks["slow: read at one step"].tolist() == [20.0, 40.0, 60.0]
    assert axes.get_xlabel() == "Mean input seen at the decision (ms)"
    assert any("slow: 50.0 % at 40 ms" in text.replace("\n", " ") for text in texts(figure))
    slow, fast = draw("decision-step-histograms", timed, options).axes
    assert [label.get_text() for label in slow.get_xticklabels()] == ["20", "40", "60", "forced"]
    assert [label.get_text() for label in fast.get_xticklabels()] == ["5", "10", "15", "forced"]
    history = draw("training-history", timed, options).axes[1]
    steps = [entry["valid_mean_step"] for entry in timed[0].history]
    np.testing.assert_allclose(history.get_lines()[0].get_ydata(), (np.array(steps) + 1) * 20)
    ms = draw(NAMES[0], timed, FigureOptions(time="ms", xscale="log")).axes[0]
    places = ms.transData.transform([(value, 1.0) for value in (5, 10, 20, 40)])[:, 0]
    np.testing.assert_allclose(np.diff(places), places[1] - places[0], rtol=1e-6)
    assert [label.get_text() for label in ms.get_xticklabels()] == ["5", "10", "20", "50"]


def test_half_widths_are_stretched_with_the_steps():
    rows = Table({"label": np.array(["a"]), "step_ms": np.array([20.0])})
    with style.applied(FigureOptions(time="ms")):
        assert time_axis.moment(rows, Interval(1.0, 0.5, 3)) == Interval(40.0, 10.0, 3)
        with pytest.raises(InputError, match="one duration of a step"):
            time_axis.when(Table({"label": np.array(["a"])}), np.zeros(1))
    assert time_axis.moment(rows, Interval(1.0, 0.5, 3)) == Interval(1.0, 0.5, 3)


def test_milliseconds_of_steps_without_duration_are_refused_before_anything_is_written(
    timed, one_seed, tmp_path
):
    with pytest.raises(InputError, match=r"the steps of RC-LSTM, RC-SNN have none \(no step_ms\)"):
        write_figures([*timed, *one_seed], tmp_path / "out", options=FigureOptions(time="ms"))
    assert not (tmp_path / "out").exists()


def test_values_stand_in_the_legend_or_in_the_table_alone(one_seed):
    label = one_seed[0].label
    legend = draw(NAMES[0], one_seed, FigureOptions()).legends[0].get_texts()
    assert "% at step" in legend[0].get_text().replace("\n", " ")
    bare = draw(NAMES[0], one_seed, FigureOptions(values="table")).legends[0].get_texts()
    assert bare[0].get_text() == label


def test_a_short_legend_takes_several_columns_and_a_long_one_a_column(one_seed):
    wide = FigureOptions(width=7, values="table")
    short = draw("coverage-vs-accuracy", one_seed, wide).legends[0]
    long_names = {record.label: f"{record.label}, {'with a name that goes on ' * 9}" for record in one_seed}
    long = draw("coverage-vs-accuracy", one_seed, replace(wide, width=3.4, labels=long_names)).legends[0]
    assert [short._ncols, long._ncols] == [2, 1]
    assert long.get_texts()[0].get_text().count("\n") > 2


def test_only_the_formats_asked_for_are_written(one_seed, tmp_path):
    options = FigureOptions(formats=["pdf", "pgf"])
    written = write_figures(one_seed, tmp_path, only=NAMES[:1], options=options)
    assert [path.name for path in written[:3]] == [f"{NAMES[0]}.{suffix}" for suffix in ("pdf", "pgf", "csv")]


PROGRAM = """
import sys
from rc_vs_snn.analysis import FigureOptions, write_figures
from rc_vs_snn.records import find_records
options = FigureOptions(width="3.4in", columns=1, xscale="log", formats=["png", "svg", "pdf", "pgf"])
write_figures(find_records(sys.argv[1]), sys.argv[2], options=options)
"""


@pytest.mark.slow
def test_two_processes_write_the_same_bytes(one_seed, tmp_path):
    folders = [tmp_path / name for name in ("one", "two")]
    runs = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, str(one_seed[0].folder), str(folder)])
        for folder in folders
    ]
    assert [run.wait() for run in runs] == [0, 0]
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert first == second
    assert {f"{name}.{suffix}" for name in NAMES for suffix in ("svg", "pdf", "pgf")} <= set(first)


@dataclass(frozen=True)
class Old:
    """A figure as plug-ins have written them: it knows of no option."""

    def table(self, groups):
        return Table({"label": np.array([group.label for group in groups]), "x": np.arange(len(groups))})

    @style.applied()
    def draw(self, table):
        figure = style.new_figure(style.PAGE_INCHES, 2.0, "a caption")
        axes = figure.subplots()
        for label, look in style.looks(table.distinct("label")).items():
            axes.plot(table["x"], color=look.colour, label=label)
        style.add_legend(figure, [style.key(label) for label in table.distinct("label")], 2)
        return figure


def test_a_figure_that_knows_of_no_options_takes_them_from_where_it_is_drawn(one_seed):
    figure, table = Old(), Old().table(group_runs(one_seed))
    with style.applied(COLUMN):
        assert figure.draw(table).get_figwidth() == 3.4
    assert figure.draw(table).get_figwidth() == style.PAGE_INCHES
    assert style.options() == FigureOptions()


def test_options_hold_in_their_own_thread_alone():
    seen = []
    with style.applied(COLUMN):
        other = threading.Thread(target=lambda: seen.append(style.options()))
        other.start()
        other.join()
        with style.applied(FigureOptions(width=5)):
            seen.append(style.options().inches)
        seen.append(style.options())
    assert seen == [FigureOptions(), 5.0, COLUMN]
    with pytest.raises(ZeroDivisionError), style.applied(COLUMN):
        _ = 1 / 0
    assert style.options() == FigureOptions()
