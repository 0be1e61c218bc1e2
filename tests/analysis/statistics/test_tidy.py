"""The tidy tables: every number there, and read back from both formats."""

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest

from rc_vs_snn.analysis.curves import threshold_sweep
from rc_vs_snn.analysis.statistics import tidy
from rc_vs_snn.analysis.statistics.tidy import DECISIONS, RUN, SWEEPS
from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import NUMBERS


def test_a_row_per_run_per_threshold_and_per_sample(two_models):
    tables = tidy(two_models)
    assert len(tables.runs) == 6
    assert len(tables.sweeps) == 6 * 60
    assert len(tables.decisions) == 6 * 400
    assert list(tables.runs.columns) == [*RUN, *NUMBERS]
    assert list(tables.sweeps.columns) == [*RUN, *SWEEPS]
    assert list(tables.decisions.columns) == [*RUN, *DECISIONS]
    record = two_models[4]
    mine = {"label": "RC-SNN", "seed": 1}
    assert tables.runs.where(**mine)["accuracy"].item() == record.metrics["accuracy"]
    sweep = tables.sweeps.where(**mine)
    assert sweep["accuracy"].tolist() == threshold_sweep(record.trace(), "membrane")["accuracy"].tolist()
    decided = tables.decisions.where(**mine)
    assert decided["right"].mean() == record.metrics["accuracy"]
    assert decided["step"].mean() == record.metrics["mean_step"]
    assert decided["acs"].mean() == pytest.approx(record.metrics["acs"])
    assert decided["earliness"].mean() == pytest.approx(record.metrics["earliness"])
    assert ((decided["confidence"] > 0) & (decided["confidence"] <= 1)).all()
    assert decided["id"].tolist() == record.trace().ids.tolist()


def test_both_formats_hold_the_same(two_models, tmp_path):
    tables = tidy(two_models[::3])
    as_csv = tables.write(tmp_path)
    as_parquet = tables.write(str(tmp_path), "parquet")
    assert [path.name for path in as_csv] == ["runs.csv", "sweeps.csv", "decisions.csv"]
    for text, binary in zip(as_csv, as_parquet, strict=True):
        stored = pq.read_table(binary)
        with text.open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == stored.column_names
        assert len(rows) == stored.num_rows
        for name in stored.column_names:
            values = stored[name].to_numpy()
            if values.dtype.kind == "f":
                read = [float(row[name]) if row[name] else np.nan for row in rows]
                np.testing.assert_array_equal(read, values)
            else:
                assert [row[name] for row in rows] == [str(value) for value in values.tolist()]


def test_what_was_not_counted_is_empty(make_run, tiny_trace, tmp_path):
    record = make_run(Trace(**{**vars(tiny_trace), "macs": np.full((4, 3), np.nan), "step_ms": 5.0}))
    tables = tidy([record])
    assert tables.decisions["ms"].tolist() == [5.0, 15.0, 5.0, 15.0]
    tables.write(tmp_path)
    with (tmp_path / "decisions.csv").open() as file:
        assert {row["macs"] for row in csv.DictReader(file)} == {""}


def test_a_run_without_its_trace_has_its_decisions(make_run, tiny_trace):
    record = make_run(tiny_trace)
    whole = tidy([record]).decisions
    (record.folder / "trace.npz").unlink()
    tables = tidy([record])
    assert len(tables.sweeps) == 0
    assert list(tables.sweeps.columns) == [*RUN, *SWEEPS]
    for name in ("id", "true_label", "decided_label", "right", "step", "decided", "tied", "evidence", "acs"):
        assert tables.decisions[name].tolist() == whole[name].tolist()
    assert np.isnan(tables.decisions["confidence"]).all()


def test_unfinished_runs_are_left_out(make_run, tiny_trace):
    failed = make_run(tiny_trace, label="RC-SNN", status="failed", reason="no memory")
    assert tidy([make_run(tiny_trace), failed]).runs["label"].tolist() == ["RC-LSTM"]
    with pytest.raises(InputError, match="no finished run"):
        tidy([failed])


def test_faults_are_named(make_run, tiny_trace, tmp_path):
    record = make_run(tiny_trace)
    tables = tidy([record])
    with pytest.raises(InputError, match="unknown format 'xlsx'; allowed: csv, parquet"):
        tables.write(tmp_path, "xlsx")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot write"):
        tables.write(tmp_path / "file")
    other = make_run(Trace(**{**vars(tiny_trace), "ids": tiny_trace.ids + 1}), label="other")
    (record.folder / "decisions.parquet").write_bytes((other.folder / "decisions.parquet").read_bytes())
    with pytest.raises(InputError, match="decisions and trace are not of the same samples"):
        tidy([record])
