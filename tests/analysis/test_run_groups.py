import math
import shutil
from dataclasses import replace

import pytest

from rc_vs_snn.analysis.groups import FinishedRun, group_runs
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import TRACE, read_record


def test_runs_of_one_configuration_are_grouped_over_seeds(two_models):
    groups = group_runs(two_models)
    assert [group.label for group in groups] == ["RC-LSTM", "RC-SNN"]
    assert [[run.record.seed for run in group.runs] for group in groups] == [[0, 1, 2]] * 2
    assert groups[0].facts == {
        "label": "RC-LSTM",
        "dataset": "digits",
        "n_samples": 400,
        "n_steps": 8,
        "n_seeds": 3,
    }


def test_only_the_seed_may_differ_between_repetitions(make_run, tiny_trace):
    one = make_run(tiny_trace, seed=0, encoder={"name": "latency", "n_steps": 3})
    other = make_run(
        tiny_trace,
        seed=1,
        encoder={"name": "step", "n_steps": 3, "background": "never"},
        augmentation="affine",
    )
    labels = [group.label for group in group_runs([one, other])]
    assert labels == [
        "RC-LSTM (encoder=latency, encoder.background=default, augmentation=default)",
        "RC-LSTM (encoder=step, encoder.background=never, augmentation=affine)",
    ]


def test_parts_of_a_cross_validation_are_repetitions_and_other_parts_are_not(make_run, tiny_trace):
    parts = [
        make_run(tiny_trace, seed=seed, dataset={"name": "nmnist", "fold": fold, "n_folds": 3})
        for seed, fold in ((0, 0), (1, 1), (2, 1))
    ]
    assert [len(group.runs) for group in group_runs(parts[:2])] == [2]
    assert [len(group.runs) for group in group_runs(parts)] == [2, 1]


def test_one_configuration_and_seed_twice_is_no_repetition(make_run, tiny_trace, tmp_path):
    record = make_run(tiny_trace)
    shutil.copytree(record.folder, tmp_path / "copy")
    with pytest.raises(InputError, match="same configuration and seed"):
        group_runs([record, read_record(tmp_path / "copy")])


def test_unfinished_runs_are_left_out(make_run, tiny_trace):
    done = make_run(tiny_trace)
    failed = make_run(tiny_trace, label="RC-SNN", status="failed", reason="diverged")
    assert [group.label for group in group_runs([failed, done])] == ["RC-LSTM"]
    with pytest.raises(InputError, match=r"no finished run to analyse \(RC-SNN: failed\)"):
        group_runs([failed])
    with pytest.raises(InputError, match="none given"):
        group_runs([])


@pytest.mark.parametrize("damage", ["missing", "cut", "text"])
def test_a_damaged_trace_is_named(make_run, tiny_trace, damage):
    record = make_run(tiny_trace)
    path = record.folder / TRACE
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not an archive")
    with pytest.raises(InputError, match=r"trace\.npz is damaged"):
        _ = FinishedRun(record).trace


def test_a_number_a_record_lacks_is_nan(make_run, tiny_trace):
    run = FinishedRun(make_run(tiny_trace, threshold=1.0))
    assert math.isnan(run.metric("accuracy_decided"))  # nothing was decided: null in metrics.json
    older = {name: value for name, value in run.record.metrics.items() if name != "tied"}
    assert math.isnan(FinishedRun(replace(run.record, metrics=older)).metric("tied"))
    with pytest.raises(InputError, match="did you mean 'accuracy'"):
        run.metric("acuracy")
