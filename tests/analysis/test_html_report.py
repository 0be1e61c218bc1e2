"""What the report says: numbers of the records, all texts escaped, the same bytes from the same records."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.html import page, write_html
from rc_vs_snn.analysis.html.compared import compared, further_sentences, holds_zero, summary_sentences
from rc_vs_snn.analysis.html.points import Judged, label_points
from rc_vs_snn.analysis.intervals import Interval
from rc_vs_snn.cli import main
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import find_records, read_record

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "analysis" / "mnist-fc" / "runs"


class Page(HTMLParser):
    """The texts of a page by table, its ids, and what it would load."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.loads, self.ids, self.words, self.inside = {}, [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.inside.append(tag)
        if given.get("id"):
            self.ids.add(given["id"])
        if tag != "a":
            self.loads += [given[name] for name in ("src", "href", "data", "poster") if name in given]
        if tag == "table":
            self.rows = self.tables.setdefault(given["id"], [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "script" not in self.inside and "style" not in self.inside:
            self.words.append(data)
            if {"td", "th"} & set(self.inside) and "table" in self.inside:
                self.rows[-1][-1] = (self.rows[-1][-1] + data).strip()

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])


def written(records, out):
    text = write_html(records, out).read_text(encoding="utf-8")
    return text, Page(text)


@pytest.fixture(scope="module")
def two(two_models, tmp_path_factory):
    return written(two_models, tmp_path_factory.mktemp("html") / "two.html")


def test_the_tables_hold_the_numbers_of_the_records(two, two_models):
    _, parsed = two
    header, first, second = parsed.tables["models"]
    assert [first[0], second[0]] == ["RC-LSTM", "RC-SNN"]
    group = group_runs(two_models)[0]
    assert first[header.index("accuracy %")] == group.interval("accuracy").spell(1, 100)
    assert first[header.index("mean step")] == group.interval("mean_step").spell(2)
    assert first[header.index("seeds")] == "3"
    assert [row[-1] for row in parsed.tables["settings"]] == ["evidence", "probability", "membrane"]
    assert len(parsed.tables["points"]) == 1 + 2 * 61, "a row for each of 60 thresholds, and the rule"
    assert [row[:3] for row in parsed.tables["runs"][1:4]] == [
        ["RC-LSTM", str(seed), f"rc-lstm-seed{seed}"] for seed in range(3)
    ]
    assert all(re.fullmatch(r"\d files match", row[4]) for row in parsed.tables["runs"][1:])


def test_every_point_holds_what_the_rule_decides_there(two, two_models):
    labels = data_of(two[0])["labels"]
    for label, kind in zip(labels, ("RC-LSTM", "RC-SNN"), strict=True):
        record = next(each for each in two_models if each.label == kind and each.seed == 1)
        trace = record.trace()
        points = label_points(group_runs(two_models), 60)[labels.index(label)]
        for at in (0, 20, 45, 59):
            threshold = float(points.traced[1].sweep["threshold"][at])
            decision = decide(trace.evidence, FirstSpike(threshold), trace.lengths)
            confusion = np.zeros((5, 5), int)
            np.add.at(confusion, (trace.labels, decision.label), 1)
            found = label["runs"][1][at]
            dense = np.zeros(25, int)
            dense[found["c"][::2]] = found["c"][1::2]
            assert (dense.reshape(5, 5) == confusion).all()
            assert found["n"][1] == (decision.label == trace.labels).sum()
            assert found["n"][3] == decision.decided.sum()
            for sample, truth, decided, step, evidence, spiked in [*found["h"], *found["e"]]:
                (row,) = np.flatnonzero(trace.ids == sample)
                assert (truth, decided, step) == (trace.labels[row], decision.label[row], decision.step[row])
                assert evidence == f"{decision.evidence[row]:.4g}"
                assert bool(spiked) == decision.decided[row]
        assert label["at"][-1] == pytest.approx(
            [np.mean([each.metrics["mean_step"] for each in two_models if each.label == kind]),
             100 * np.mean([each.metrics["accuracy"] for each in two_models if each.label == kind])]
        )  # fmt: skip
        rule = label["runs"][1][-1]
        assert "t" not in rule
        assert rule["n"][1] == round(record.metrics["accuracy"] * record.metrics["n_samples"])


def test_the_plot_is_told_in_words(two):
    _, parsed = two
    rows = [row for row in parsed.tables["points"] if row[0] == "RC-SNN"]
    best = max(rows[:-1], key=lambda row: float(row[3].split()[0]))
    assert (
        f"RC-SNN: {rows[-1][3]} % at mean step {rows[-1][2]} by the rule as run; over thresholds from "
        f"{rows[0][3]} % at mean step {rows[0][2]} to {rows[-2][3]} % at mean step {rows[-2][2]}, at best "
        f"{best[3]} %"
    ) in parsed.text


def test_hardest_and_earliest_samples_worked_by_hand():
    judged = Judged(
        threshold=0.9,
        ids=np.array([10, 11, 12, 13, 14]),
        truth=np.array([0, 1, 1, 0, 1]),
        label=np.array([0, 0, 1, 1, 1]),  # 11 and 13 are wrong
        step=np.array([2, 0, 2, 1, 0]),
        decided=np.array([False, True, False, True, True]),
        evidence=np.array([0.4, 0.95, 0.6, 0.91, 0.99]),
        n_classes=2,
    )
    assert judged.ids[judged.hardest(5)].tolist() == [13, 11, 10, 12, 14]
    assert judged.ids[judged.earliest(3)].tolist() == [14, 11, 13]
    assert judged.confusion.tolist() == [[1, 1], [1, 2]]


def test_the_same_records_give_the_same_bytes(one_seed, tmp_path):
    first = write_html(one_seed, tmp_path / "a.html").read_bytes()
    assert write_html(one_seed, str(tmp_path / "b" / "c.html")).read_bytes() == first
    folders = [str(record.folder) for record in one_seed]
    code = (
        "import sys\nfrom rc_vs_snn.analysis.html import write_html\n"
        "from rc_vs_snn.records import read_record\n"
        "write_html([read_record(each) for each in sys.argv[2:]], sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "d.html"), *folders]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"})
    assert (tmp_path / "d.html").read_bytes() == first
    assert sorted(os.listdir(tmp_path)) == ["a.html", "b", "d.html"], "no leftovers"


def test_nothing_is_loaded_from_anywhere(two):
    text, parsed = two
    assert [load for load in parsed.loads if not load.startswith("data:")] == []
    styles = "".join(re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles
    assert "default-src 'none'" in text
    assert "connect-src" not in text, "nothing widens the default for requests"
    assert len(text.encode()) < 5_000_000


def test_every_text_is_escaped(make_run, tiny_trace, tmp_path):
    evil = "<script>alert(1)</script>&\"'</style><img src=x onerror=alert(2)>"
    record = make_run(tiny_trace, label=evil, encoder={"name": "</script><b>x", "note": evil})
    failed = make_run(tiny_trace, label="late " + evil, status="failed", reason=evil)
    text, parsed = written([record, failed], tmp_path / "evil.html")
    assert evil not in text
    assert "<script>alert" not in text
    assert "<img" not in text
    assert "<b>x" not in text
    assert parsed.tables["models"][1][0] == evil
    assert parsed.tables["runs"][2][3] == f"failed: {evil}"
    assert data_of(text)["labels"][0]["label"] == evil


def test_runs_without_traces_are_told_and_shown(tmp_path):
    text, parsed = written(find_records(PUBLISHED), tmp_path / "published.html")
    assert "Left out, since these run folders hold no trace.npz" in parsed.text
    assert "Left out, since these run folders hold no decisions.parquet" in parsed.text
    assert "RC-LSTM (seeds 0, 1, 2)" in parsed.text
    assert len(parsed.tables["points"]) == 1 + 3
    assert "steps" not in parsed.tables
    assert "not in this copy" in text or "none recorded: the files were not checked" in text
    assert all(run == [None] for label in data_of(text)["labels"] for run in label["runs"])


def test_steps_of_known_length_are_told_in_milliseconds(make_run, tiny_trace, tmp_path):
    parsed = written([make_run(replace(tiny_trace, step_ms=20.0))], tmp_path / "timed.html")[1]
    header, *rows = parsed.tables["points"]
    step, ms = header.index("mean step"), header.index("ms of input")
    assert len(rows) == 61
    for row in rows:
        assert float(row[ms]) == pytest.approx(20 * (float(row[step]) + 1), abs=0.6)
    assert "ms of input" in parsed.tables["models"][0]


def test_a_silent_net_and_one_class_of_samples_make_a_page(make_run, tiny_trace, tmp_path):
    silent = replace(tiny_trace, evidence=np.zeros_like(tiny_trace.evidence), labels=np.zeros(4, np.int64))
    parsed = written([make_run(silent, evidence="membrane", threshold=4.0)], tmp_path / "silent.html")[1]
    assert {row[parsed.tables["points"][0].index("forced %")] for row in parsed.tables["points"][1:]} == {
        "100.0"
    }


def test_one_seed_without_a_trace_leaves_the_others_theirs(two_models, tmp_path):
    records = []
    for record in two_models:
        copy = tmp_path / record.folder.name
        shutil.copytree(record.folder, copy)
        if record.folder.name == "rc-lstm-seed1":
            (copy / "trace.npz").unlink()
        records.append(read_record(copy))
    text, parsed = written(records, tmp_path / "some.html")
    assert "RC-LSTM (seed 1)" in parsed.text
    runs = data_of(text)["labels"][0]["runs"]
    assert [sum(point is None for point in run) for run in runs] == [0, 60, 0]
    assert runs[1][-1]["n"][0] == 400, "the rule as run is told by its decisions"
    states = {row[2]: row[4] for row in parsed.tables["runs"][1:]}
    assert states["rc-lstm-seed1"].endswith("; not in this copy: trace.npz")


def test_many_runs_get_fewer_points_and_say_so(one_seed, tmp_path, monkeypatch):
    whole = len(write_html(one_seed, tmp_path / "whole.html").read_bytes())
    monkeypatch.setattr(page, "LARGEST", whole - 60_000)
    text, parsed = written(one_seed, tmp_path / "less.html")
    assert len(text.encode()) < whole - 60_000
    assert "To keep this page below 5 MB" in parsed.text
    points = data_of(text)["labels"][0]["runs"][0]
    assert len(points) < 61 or len(points[0]["h"]) < 8
    monkeypatch.setattr(page, "LARGEST", 10_000)
    with pytest.raises(InputError, match="give fewer runs"):
        write_html(one_seed, tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


def at(make_run, tiny_trace, label, seed, accuracy, mean_step, **metrics):
    """A run whose record says these numbers."""
    record = make_run(tiny_trace, label=label, seed=seed)
    record.metrics.update({"accuracy": accuracy, "mean_step": mean_step, **metrics})
    return record


def test_the_summary_of_two_models_worked_by_hand(make_run, tiny_trace):
    # steps: differences 1, 1, 1 (s = 0); accuracy: 0.03, 0.01, -0.01 (s = 0.02), t(0.975, 2) = 4.302653
    records = [
        at(make_run, tiny_trace, label, seed, accuracy, step)
        for label, steps, accuracies in (
            ("A", (2.0, 2.5, 3.0), (0.90, 0.90, 0.90)),
            ("B", (3.0, 3.5, 4.0), (0.93, 0.91, 0.89)),
        )
        for seed, (step, accuracy) in enumerate(zip(steps, accuracies, strict=True))
    ]
    groups = group_runs(records)
    pair = compared(groups[1], groups[0])
    assert pair.time.mean == pytest.approx(1.0)
    assert pair.accuracy.half_width == pytest.approx(4.302653 * 0.02 / 3**0.5, rel=1e-6)
    (sentence,) = summary_sentences(groups)
    assert sentence == (
        "A decides sooner than B by 1.00 ± 0.00 steps; B is more accurate than A by 1.0 ± 5.0 points, an "
        "interval that holds zero (95 % t-interval over 3 shared seeds)."
    )
    assert further_sentences(groups) == []


def test_the_summary_names_who_is_ahead_in_each(make_run, tiny_trace):
    groups = group_runs(
        [
            at(make_run, tiny_trace, "A", 0, 0.90, 2.0), at(make_run, tiny_trace, "A", 1, 0.92, 2.2),
            at(make_run, tiny_trace, "B", 0, 0.95, 2.9), at(make_run, tiny_trace, "B", 1, 0.97, 3.1),
        ]
    )  # fmt: skip
    (sentence,) = summary_sentences(groups)
    assert sentence == (
        "A decides sooner than B by 0.90 ± 0.00 steps; B is more accurate than A by 5.0 ± 0.0 points "
        "(95 % t-interval over 2 shared seeds)."
    )


def test_one_seed_has_no_interval_and_the_summary_says_so(make_run, tiny_trace):
    one = at(make_run, tiny_trace, "A", 0, 0.9, 1.5)
    assert summary_sentences(group_runs([one])) == [
        "A is right on 90.0 % of 4 test samples of digits, at mean decision step 1.50 of 0 to 2 "
        "(1 seed, no interval)."
    ]
    other = at(make_run, tiny_trace, "B", 0, 0.8, 1.0)
    (sentence,) = summary_sentences(group_runs([one, other]))
    assert sentence == (
        "B decides sooner than A by 0.50 steps; A is more accurate than B by 10.0 points (1 seed, no "
        "interval)."
    )


def test_models_that_share_no_seed_or_no_data_are_not_subtracted(make_run, tiny_trace):
    one = at(make_run, tiny_trace, "A", 0, 0.9, 1.5)
    other = at(make_run, tiny_trace, "B", 1, 0.8, 1.0)
    third = make_run(tiny_trace, label="C", dataset={"name": "mnist"})
    groups = group_runs([one, other, third])
    assert compared(groups[1], groups[0]) is None
    assert compared(groups[2], groups[0]) is None
    first, second = summary_sentences(groups)
    assert first.startswith(
        "Of 2 models on digits, B decides the soonest, at mean step 1.00 of 0 to 2, and A "
    )
    assert second.startswith("C is right on")
    assert further_sentences(groups) == ["No seed in common with A, so that no difference is taken: B."]


def test_other_numbers_of_steps_compare_by_the_share_of_the_sequence(make_run, tiny_trace):
    longer = Trace(
        evidence=np.repeat(tiny_trace.evidence, 2, axis=1), labels=tiny_trace.labels, ids=tiny_trace.ids,
        **{name: np.repeat(getattr(tiny_trace, name), 2, axis=1) for name in ("acs", "macs", "input_events")},
    )  # fmt: skip
    groups = group_runs([make_run(tiny_trace, label="A"), make_run(longer, label="B")])
    pair = compared(groups[1], groups[0])
    assert not pair.in_steps
    expected = groups[1].interval("earliness").mean - groups[0].interval("earliness").mean
    assert pair.time.mean == pytest.approx(expected)
    assert "% of the sequence" in summary_sentences(groups)[0]


def test_an_interval_that_touches_zero_holds_it():
    assert holds_zero(Interval(0.5, 0.5, 3))
    assert not holds_zero(Interval(0.5, 0.49, 3))
    assert not holds_zero(Interval(0.0, None, 1))


@pytest.fixture
def fails(capsys):
    def run(*arguments):
        assert main(["report", *map(str, arguments)]) == 2
        err = capsys.readouterr().err
        assert err.startswith("rc-vs-snn: error: ")
        assert err.count("\n") == 1
        return err

    return run


def test_the_command_writes_the_page_and_says_where(one_seed, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["report", *(str(record.folder) for record in one_seed)]) == 0
    assert capsys.readouterr().out == "report.html\n"
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_what_a_person_does_wrong_is_one_line(one_seed, make_run, tiny_trace, tmp_path, fails, monkeypatch):
    run = one_seed[0].folder
    failed = make_run(tiny_trace, label="late", status="failed", reason="no memory")
    assert "no finished run to analyse (late: failed)" in fails(failed.folder, "--out", tmp_path / "x.html")
    assert "is a folder; name the file" in fails(run, "--out", tmp_path)
    (tmp_path / "file").write_text("in the way")
    assert "cannot write" in fails(run, "--out", tmp_path / "file" / "report.html")
    assert "cannot write" in fails(run, "--out", "a\0b.html")
    assert "does not exist" in fails(tmp_path / "nowhere", "--out", tmp_path / "x.html")
    for name in ("bokeh", "jinja2"):
        with monkeypatch.context() as without:
            without.setitem(sys.modules, name, None)
            line = fails(run, "--out", tmp_path / "x.html")
            assert f"needs {name}, which is not installed: pip install 'rc_vs_snn[report]'" in line
    assert not (tmp_path / "x.html").exists()


def test_a_damaged_trace_is_named_and_the_old_page_stays(one_seed, tmp_path, fails):
    copy = tmp_path / "run"
    shutil.copytree(one_seed[0].folder, copy)
    out = tmp_path / "report.html"
    out.write_text("old")
    (copy / "trace.npz").write_bytes(b"no archive")
    assert "trace.npz is damaged" in fails(copy, "--out", out)
    assert out.read_text() == "old"


def test_the_wheel_ships_the_templates():
    builder = pytest.importorskip("hatchling.builders.wheel")
    shipped = {each.distribution_path for each in builder.WheelBuilder(str(ROOT)).recurse_included_files()}
    templates = ROOT / "rc_vs_snn" / "analysis" / "html" / "templates"
    needed = {path.relative_to(ROOT).as_posix() for path in templates.iterdir()}
    assert {Path(name).suffix for name in needed} == {".jinja", ".css", ".js"}
    assert needed <= shipped
