"""The main job as `make compare` runs it: real training on the embedded digits."""

import pytest

import rc_vs_snn as rv


@pytest.mark.slow
def test_both_families_decide_early_and_above_95_per_cent(tmp_path):
    records = rv.compare(rv.load_preset("digits"), tmp_path, rv.Execution(device="cpu"), jobs=2)
    assert [record.label for record in records] == ["RC-LSTM", "rank-SNN"]
    for record in records:
        assert record.status == "done"
        assert record.metrics["accuracy"] > 0.95
        assert record.metrics["mean_step"] < 5  # of 0..9
        assert record.metrics["forced"] < 0.2
    rv.write_figures(records, tmp_path / "figures")
    assert (tmp_path / "figures" / "accuracy-vs-decision-step.png").stat().st_size > 10_000
