"""The published table of nets in whole numbers: made of its numbers, and its numbers of the kept models."""

import csv
import importlib
from dataclasses import fields
from pathlib import Path

import pytest

import rc_vs_snn as rv
from rc_vs_snn.experiment.fixed_point import export_fixed, judge_fixed, widths
from rc_vs_snn.experiment.pretrained import default_folder, judge_pretrained

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "analysis" / "fixed-point"


@pytest.fixture
def benchmark(monkeypatch):
    """The module that made the table, which is not part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.fixed_point")


@pytest.fixture
def published(benchmark):
    """The rows of the published table."""
    with (PUBLISHED / "fixed-point.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kinds = {field.name: field.type for field in fields(benchmark.Row)}
    return [benchmark.Row(**{name: kinds[name](value) for name, value in row.items()}) for row in rows]


def test_the_table_is_made_of_its_numbers(benchmark, published):
    assert {row.n_samples for row in published} == {10_000}
    assert benchmark.markdown(published) == (PUBLISHED / "table.md").read_text(encoding="utf-8")


def test_the_floats_are_the_kept_models_as_recorded(published):
    for row in published:
        if row.widths == "floats":
            metrics = rv.read_record(default_folder() / row.model).metrics
            assert row.accuracy == pytest.approx(metrics["accuracy"], abs=1e-3)
            assert row.mean_step == pytest.approx(metrics["mean_step"], abs=1e-2)


@pytest.mark.slow
def test_a_kept_model_in_whole_numbers_is_what_the_table_tells(benchmark, published, tmp_path, data_root):
    # Of one network at one width: of the others the same code makes the rows.
    execution, folder = (
        rv.Execution(device="cpu", data_root=data_root),
        default_folder() / "mnist-fc/rank-snn",
    )
    (before,) = judge_pretrained([folder], tmp_path / "floats", execution)
    given = widths(8, 8, benchmark.DECAY_BITS, "nearest")
    (made,) = export_fixed([rv.read_record(folder)], tmp_path, given, execution)
    found = benchmark.row_of(
        "mnist-fc/rank-snn", before, judge_fixed(made.folder, execution, out=tmp_path / "judged")
    )
    (told,) = [row for row in published if (row.model, row.widths) == (found.model, found.widths)]
    # Elsewhere the net in floats, by which units are chosen, may decide single samples otherwise.
    assert found.accuracy == pytest.approx(told.accuracy, abs=1e-3)
    assert found.mean_step == pytest.approx(told.mean_step, abs=1e-2)
    assert found.equal_decisions == pytest.approx(told.equal_decisions, abs=2e-3)
