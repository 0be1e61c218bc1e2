import csv
import io
import math
from dataclasses import replace

import pytest

from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.tables import HEADER, summary_markdown, summary_table


def cells(markdown: str, row: int) -> list[str]:
    """The trimmed cells of a table line; 0 is the header, 1 the rule below it."""
    lines = [text for text in markdown.splitlines() if text.startswith("|")]
    return [text.strip() for text in lines[row].strip("|").split(" | ")]


def test_one_row_per_label_by_hand(make_run, tiny_trace):
    encoder = {"name": "latency", "background": "never"}
    record = make_run(tiny_trace, encoder=encoder, rule={"name": "first-spike"})
    text = summary_markdown(group_runs([record]))
    row = dict(zip(cells(text, 0), cells(text, 2), strict=True))
    # threshold 0.95: right at 0, right at 2, wrong at 0, forced and wrong at 2
    assert row == {
        "model": "RC-LSTM",
        "registered as": "rc-lstm",
        "dataset": "digits",
        "input code": "latency, background=never, n_steps=3",
        "objective": "rank-coding, beta=0.0",
        "rule": "first-spike, threshold=0.95",
        "accuracy %": "50.0",
        "over decided % (coverage %)": "66.7 (75.0)",
        "mean step": "1.00",
        "median step": "1",
        "forced %": "25.0",
        "tied %": "0.0",
        "parameters": "235,146",
        "ACs": "55.0",  # (10 + 60 + 30 + 120) / 4
        "MACs": "200",  # (100 + 300 + 100 + 300) / 4
        "leaks": "not counted",  # a trace written before they were
        "training s": "61.5",
        "seeds": "1",
    }


def test_numbers_are_aligned_to_the_right(one_seed):
    rule = cells(summary_markdown(group_runs(one_seed)), 1)
    assert [text.endswith(":") for text in rule] == [False] * 6 + [True] * 12
    assert cells(summary_markdown(group_runs(one_seed)), 0) == list(HEADER)


def test_intervals_name_their_unit_and_one_seed_has_none(one_seed, two_models):
    single = summary_markdown(group_runs(one_seed))
    assert "±: 1 seed, no interval." in single
    assert "Paired" not in single
    several = summary_markdown(group_runs(two_models))
    assert "±: 95 % t-interval over 3 seeds." in several
    assert "minus RC-LSTM" in several
    assert " ± " in cells(several, 2)[HEADER.index("accuracy %")]


def test_paired_difference_is_taken_per_seed(make_run, tiny_trace):
    records = [
        make_run(tiny_trace, label=label, seed=seed, threshold=threshold)
        for label, threshold in (("A", 0.95), ("B", 1.0))
        for seed in (0, 1)
    ]
    # A: 2 of 4 right at mean step 1; B is forced throughout: 3 of 4 right at step 2
    text = summary_markdown(group_runs(records))
    assert cells(text, 4) == ["minus A", "accuracy (points)", "mean step", "seeds"]
    assert cells(text, 6) == ["B", "25.00 ± 0.00", "1.00 ± 0.00", "2"]


def test_failed_and_skipped_runs_are_listed_with_their_reason(make_run, tiny_trace):
    done = make_run(tiny_trace)
    failed = make_run(tiny_trace, label="RC-SNN", seed=2, status="failed", reason="loss became NaN")
    skipped = make_run(tiny_trace, label="RC-GRU", status="skipped")
    text = summary_markdown(group_runs([done, failed, skipped]), [failed, skipped])
    assert "- RC-SNN, seed 2: failed: loss became NaN" in text
    assert "- RC-GRU, seed 0: skipped: no reason recorded" in text
    assert "Not in the table" not in summary_markdown(group_runs([done]))


def test_nothing_decided_is_a_dash_not_a_number(make_run, tiny_trace):
    text = summary_markdown(group_runs([make_run(tiny_trace, threshold=1.0)]))
    assert cells(text, 2)[HEADER.index("over decided % (coverage %)")] == "- (0.0)"


def test_a_bar_in_a_label_does_not_break_the_table(make_run, tiny_trace):
    text = summary_markdown(group_runs([make_run(tiny_trace, label="LSTM|GRU")]))
    assert "LSTM\\|GRU" in text


def test_a_rule_of_a_missing_plug_in_is_shown_as_recorded(make_run, tiny_trace):
    text = summary_markdown(group_runs([make_run(tiny_trace, rule={"name": "someones", "level": 3})]))
    assert "someones, level=3" in text


def test_csv_holds_unrounded_numbers(two_models):
    text = io.StringIO()
    summary_table(group_runs(two_models)).write_csv(text)
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert [row["label"] for row in rows] == ["RC-LSTM", "RC-SNN"]
    mean = sum(record.metrics["mean_step"] for record in two_models[:3]) / 3
    assert float(rows[0]["mean_step"]) == pytest.approx(mean, rel=1e-12)
    assert float(rows[0]["mean_step_half_width"]) > 0
    assert rows[0]["n_seeds"] == "3"
    assert rows[0]["input_code"] == "latency, n_steps=8"


def test_milliseconds_have_a_column_where_steps_have_a_duration(two_models):
    plain = group_runs(two_models)
    assert "ms of input" not in summary_markdown(plain)
    assert "mean_ms" not in summary_table(plain).columns
    label = two_models[0].label
    timed = group_runs(
        [
            replace(each, metrics={**each.metrics, "mean_ms": 40.0 if each.label == label else math.nan})
            for each in two_models
        ]
    )
    header, _, first, second = (
        [cell.strip() for cell in line.split("|")] for line in summary_markdown(timed).splitlines()[:4]
    )
    at = header.index("ms of input")
    assert header[at - 1] == "mean step"
    assert (first[at], second[at]) == ("40 ± 0", "")
    assert summary_table(timed)["mean_ms"][0] == 40
