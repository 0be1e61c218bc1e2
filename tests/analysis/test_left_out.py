"""Runs that lack a file: a copy without its trace, decisions made elsewhere. What can be drawn is drawn."""

from pathlib import Path

import pytest

from rc_vs_snn.analysis import write_figures
from rc_vs_snn.errors import InputError, MissingError
from rc_vs_snn.records import find_records

PUBLISHED = Path(__file__).parents[2] / "analysis" / "mnist-fc" / "runs"
OF_TRACES = ["accuracy-vs-decision-step", "cost-to-decision", "coverage-vs-accuracy"]


def without(record, *names):
    for name in names:
        (record.folder / name).unlink()
    return record


def drawn(paths) -> list[str]:
    return [path.stem for path in paths if path.suffix == ".png"]


def test_published_folders_give_what_they_hold(tmp_path):
    lines: list[str] = []
    (record,) = find_records(PUBLISHED)[:1]
    written = write_figures([record], tmp_path, tell=lines.append)
    assert drawn(written) == ["training-history"]
    assert lines == [
        *(f"{name}: left out: RC-LSTM holds no trace" for name in OF_TRACES),
        "decision-step-histograms: left out: RC-LSTM holds no decisions",
    ]
    assert f" {100 * record.metrics['accuracy']:.2f} |" in (tmp_path / "summary.md").read_text()


def test_a_figure_asked_for_by_name_is_not_left_out(tmp_path):
    records = find_records(PUBLISHED)[:1]
    for name, what in (("coverage-vs-accuracy", "trace"), ("decision-step-histograms", "decisions")):
        with pytest.raises(InputError, match=rf"{name}: RC-LSTM holds no {what}: .*{what}.*\(it is missing"):
            write_figures(records, tmp_path / "out", only=[name])
    assert not (tmp_path / "out").exists()


def test_a_model_without_a_trace_is_a_mark_among_the_curves_of_the_others(make_run, tiny_trace, tmp_path):
    whole = make_run(tiny_trace)
    bare = without(make_run(tiny_trace, label="from a CSV"), "trace.npz")
    lines: list[str] = []
    write_figures([whole, bare], tmp_path, tell=lines.append)
    assert lines == [
        f"{name}: from a CSV without a curve: no trace, the operating point alone" for name in OF_TRACES
    ]
    rows = (tmp_path / "accuracy-vs-decision-step.csv").read_text().splitlines()
    assert [row.split(",")[5] for row in rows if row.startswith("from a CSV")] == ["operating point"]
    assert "no trace: a mark alone" in (tmp_path / "accuracy-vs-decision-step.svg").read_text()
    assert "from a CSV" in (tmp_path / "decision-step-histograms.csv").read_text()
    only = write_figures([whole, bare], tmp_path / "only", only=OF_TRACES[:1])
    assert drawn(only) == OF_TRACES[:1]


def test_a_model_without_decisions_leaves_the_others_their_figure(make_run, tiny_trace, tmp_path):
    whole = make_run(tiny_trace)
    bare = [without(make_run(tiny_trace, label=label), "decisions.parquet") for label in ("A", "B")]
    lines: list[str] = []
    write_figures([whole, *bare], tmp_path, tell=lines.append)
    assert lines == ["decision-step-histograms: drawn without some: A, B hold no decisions"]
    assert "A," not in (tmp_path / "decision-step-histograms.csv").read_text()
    with pytest.raises(InputError, match="A, B hold no decisions"):
        write_figures([whole, *bare], tmp_path, only=["decision-step-histograms"])


def test_what_is_damaged_is_not_missing(make_run, tiny_trace, tmp_path):
    record = make_run(tiny_trace)
    (record.folder / "trace.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="is damaged") as told:
        write_figures([record], tmp_path)
    assert not isinstance(told.value, MissingError)
    with pytest.raises(MissingError) as missing:
        without(record, "trace.npz").trace()
    assert missing.value.file == "trace.npz"
