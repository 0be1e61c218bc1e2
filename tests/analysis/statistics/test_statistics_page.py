"""docs/statistics.md: every snippet runs, in its order, and its tables name every column and cost."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.analysis.statistics import TABLES
from rc_vs_snn.analysis.statistics.tidy import DECISIONS, SWEEPS
from rc_vs_snn.contracts import Trace

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "statistics.md").read_text(encoding="utf-8")


@pytest.fixture
def stored(make_run, two_models, tmp_path):
    """Three seeds of two models on the same samples, below runs/digits."""
    for record in two_models[:3]:
        trace = record.trace()
        potentials = np.log(trace.evidence) + np.random.default_rng(record.seed).normal(
            4, 1, trace.evidence.shape
        )
        spiking = Trace(**{**vars(trace), "evidence": potentials.astype(np.float32)})
        make_run(trace, seed=record.seed)
        make_run(spiking, label="rank-SNN", seed=record.seed, evidence="membrane", threshold=4.0)
    (tmp_path / "runs").rename(tmp_path / "digits")
    (tmp_path / "runs").mkdir()
    (tmp_path / "digits").rename(tmp_path / "runs" / "digits")


def test_every_snippet_runs_in_its_order(stored, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    printed = []
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        out = io.StringIO()
        with redirect_stdout(out):
            exec(compile(snippet, "statistics.md", "exec"), names)
        printed.append(out.getvalue())
    assert len(printed) == 8
    assert all(printed), "each shows something"
    assert printed[0].startswith("At equal accuracy (")
    assert "steps later than RC-LSTM" in printed[0]
    assert "(95 % t-interval over 3 seeds)" in printed[0]
    assert "against" in printed[5]
    assert (tmp_path / "export" / "decisions.parquet").is_file()


def test_the_tables_name_every_column():
    for columns in (SWEEPS, DECISIONS):
        for name, meaning in columns.items():
            assert f"| `{name}` | {meaning} |" in PAGE


def test_the_costs_are_those_that_are_computed_with():
    for table in TABLES.values():
        (row,) = re.findall(rf"^\| `{table.name}` \| (.*) \|$", PAGE, re.MULTILINE)
        ac, mac, update, sizes = row.split(" | ")
        assert ac.startswith(f"{table.ac_pj} pJ")
        assert mac.startswith(f"{table.mac_pj} pJ")
        assert update.startswith(f"{table.update_pj} pJ")
        assert (
            sizes == f"{table.weight_bytes} byte{'s' * (table.weight_bytes > 1)}, {table.state_bytes} bytes"
        )
