"""The hardest and the earliest, and what had come in by then."""

import csv

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn import registry
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.experiment.pretrained import export
from rc_vs_snn.showing import samples as module
from rc_vs_snn.showing import show_samples
from rc_vs_snn.showing.samples import chosen_samples

CPU = rv.Execution(device="cpu")


def rows_of(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_order_of_hardness_by_hand():
    decisions = {
        "id": np.array([10, 11, 12, 13, 14, 15]),
        "true_label": np.array([0, 1, 0, 1, 0, 1]),
        "label": np.array([0, 1, 1, 1, 0, 0]),
        "step": np.array([5, 5, 0, 3, 0, 5]),
        "decided": np.array([False, True, True, True, True, False]),
        "evidence": np.array([0.4, 0.9, 0.97, 0.9, 0.99, 0.3]),
    }
    table = chosen_samples(decisions, 4)
    hardest, earliest = table.where(series="hardest"), table.where(series="earliest")
    assert hardest["id"].tolist() == [15, 10, 11, 13], "undecided by least evidence, then the latest"
    assert earliest["id"].tolist() == [14, 12, 13, 11], "the first, most evidence first"
    assert len(chosen_samples(decisions, 9)) == 12
    tied = {**decisions, "evidence": np.ones(6), "step": np.zeros(6, np.int64), "decided": np.ones(6, bool)}
    assert chosen_samples(tied, 2)["id"].tolist() == [10, 11, 10, 11], "equal: by id"


def test_events_by_then_are_those_of_the_trace(lstm_run, tmp_path):
    files = show_samples(lstm_run, tmp_path, CPU, count=3)
    assert [path.name for path in files] == [
        f"samples-rc-lstm-seed0.{suffix}" for suffix in ("png", "svg", "pdf", "csv")
    ]
    rows, trace, judged = rows_of(files[-1]), lstm_run.trace(), lstm_run.decisions()
    assert [row["series"] for row in rows] == ["hardest"] * 3 + ["earliest"] * 3
    for row in rows:
        place = trace.ids.tolist().index(int(row["id"]))
        step = int(row["step"])
        assert step == judged["step"][place]
        assert int(row["events_by_then"]) == trace.input_events[place, step]
        assert int(row["events_in_all"]) == trace.input_events[place, -1]
    text = files[1].read_text()
    assert all(f"id {row['id']}</text>" in text for row in rows)


def test_twice_the_same_bytes(lstm_run, tmp_path):
    first = show_samples(lstm_run, tmp_path / "a", CPU, count=2)
    second = show_samples(lstm_run, tmp_path / "b", CPU, count=2)
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_wrong_count_and_a_run_without_decisions(lstm_run, tmp_path):
    for count in (0, 13):
        with pytest.raises(rv.InputError, match=r"count must lie in 1\.\.12"):
            show_samples(lstm_run, tmp_path, CPU, count=count)
    (model,) = export([lstm_run], tmp_path / "models", CPU)
    with pytest.raises(rv.InputError, match=r"no decisions\.parquet; judge the model first.*--pretrained"):
        show_samples(rv.read_record(model), tmp_path, CPU)


def test_pictures_hold_what_the_encoder_made(lstm_run, tmp_path, monkeypatch):
    codes, draw_seen = {}, module.draw_seen

    def watched(axes, code, until):
        codes[id(code)] = code
        draw_seen(axes, code, until)

    monkeypatch.setattr(module, "draw_seen", watched)
    files = show_samples(lstm_run, tmp_path, CPU, count=2)
    splits = registry.datasets.build("digits", {}, root=data_root(None))
    wanted = {int(row["id"]) for row in rows_of(files[-1])}
    pictures = [code.picture(code.values.any(axis=0)) for code in codes.values()]
    assert len(pictures) == len(wanted)
    for each in wanted:
        lit = splits.test.values[splits.test.ids.tolist().index(each)] > 0
        assert any((lit == picture).all() for picture in pictures), "every lit pixel spikes once"
