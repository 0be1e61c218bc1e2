"""What a notebook shows of an object: small, whole, and escaped."""

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

import rc_vs_snn as rv
from rc_vs_snn.contracts import Decided
from rc_vs_snn.display import html_table
from rc_vs_snn.records import Record, Records

METRICS = {"accuracy": 0.98765, "mean_step": 1.25, "forced": 0.125, "n_steps": 4, "parameters": 12345}


class Table(HTMLParser):
    """Reads a table back, and refuses what does not close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.rows, self.caption = [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)
        else:
            assert self.open[-1] == "caption"
            self.caption += data


def record(label="net", status="done", metrics=METRICS, reason=""):
    provenance = {"status": status, "reason": reason}
    return Record(Path("runs/net-seed3"), {"label": label, "seed": 3}, [], metrics, provenance)


def test_text_is_escaped_and_rows_left_out_are_counted():
    table = Table(html_table("a < b", ["<x>", "y"], [["<script>alert(1)</script>", 1], ["&", 2]], 5000))
    assert table.caption == "a < b"
    assert table.rows == [
        ["<x>", "y"],
        ["<script>alert(1)</script>", "1"],
        ["&", "2"],
        ["... and 4,998 more"],
    ]
    assert "<script>" not in html_table("", ["x"], [["<script>"]])


def test_a_record_shows_its_numbers():
    table = Table(record()._repr_html_())
    head, row = table.rows
    assert dict(zip(head, row, strict=True)) == {
        "model": "net", "seed": "3", "accuracy": "98.77 %", "mean step": "1.25 of 0..3", "forced": "12.50 %",
        "parameters": "12,345", "run folder": str(Path("runs/net-seed3")),
    }  # fmt: skip
    assert table.caption == "1 run"


def test_runs_show_a_line_each_and_a_failed_one_its_reason():
    runs = Records([record("<b>net</b>"), record(status="failed", metrics={}, reason="the loss became nan")])
    assert isinstance(runs, list)
    table = Table(runs._repr_html_())
    assert [row[0] for row in table.rows[1:]] == ["<b>net</b>", "net"]
    assert "failed: the loss became nan" in table.rows[2]
    assert table.caption == "2 runs"
    assert Table(Records()._repr_html_()).rows == [table.rows[0]]


def test_decisions_show_the_means_and_the_first_ten():
    steps = np.arange(25) % 5
    decision = rv.Decision(
        np.full(25, 7), steps, steps < 4, np.zeros(25, bool), np.linspace(0, 1, 25, dtype=np.float32)
    )
    table = Table(decision._repr_html_())
    assert table.caption == "25 decisions, mean step 2.00, 20.00 % forced"
    assert table.rows[0] == ["sample", "label", "step", "decided", "tied", "evidence"]
    assert table.rows[2] == ["1", "7", "1", "True", "False", "0.04167"]
    assert len(table.rows) == 1 + 10 + 1
    assert table.rows[-1] == ["... and 15 more"]
    none = np.zeros(0)
    assert Table(rv.Decision(none, none, none, none, none)._repr_html_()).caption == "0 decisions"


def test_one_decision_shows_itself():
    table = Table(Decided(3, 2, True, False, 0.91234)._repr_html_())
    assert table.rows[1] == ["3", "2", "True", "False", "0.9123"]


def test_a_comparison_shows_what_it_compares():
    comparison = rv.load_preset("digits").with_seeds(0, 1)
    table = Table(comparison._repr_html_())
    assert table.caption == "digits: seeds 0, 1"
    assert [row[0] for row in table.rows] == ["label", "RC-LSTM", "rank-SNN"]
    assert "latency (n_steps=10, background=clip)" in table.rows[1]
    own = comparison.with_encoder(lambda samples, seed=0: samples)
    assert "sha256" not in own._repr_html_()
    assert "&lt;lambda&gt;" in own._repr_html_()


def test_what_compare_and_find_records_return_is_shown(tmp_path):
    comparison = dataclasses.replace(rv.load_preset("digits"), runs=rv.load_preset("digits").runs[:1])
    made = rv.compare(comparison.with_training(epochs=1), tmp_path, rv.Execution(device="cpu"))
    assert Table(made._repr_html_()).rows == Table(rv.find_records(tmp_path)._repr_html_()).rows
    assert len(Table(made[0]._repr_html_()).rows) == 2
