"""One run and whole comparisons on small settings: repeatable, complete, resumable, honest about failure."""

import contextlib
import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.decision.batch import run_to_decision
from rc_vs_snn.experiment import execute, planning, progress, running, spreading
from rc_vs_snn.experiment.judging import trace_split
from rc_vs_snn.experiment.parts import assemble, check_run, load_splits
from rc_vs_snn.models import RankSNN

SMALL = ["training.epochs=2", "models.rc-lstm.model.hidden=24", "models.rank-snn.model.hidden=32"]
CPU = rv.Execution(device="cpu")


@pytest.fixture(scope="module")
def comparison():
    return rv.load_preset("digits", SMALL)


@pytest.fixture(scope="module")
def finished(comparison, tmp_path_factory):
    out = tmp_path_factory.mktemp("comparison")
    return out, rv.compare(comparison, out, CPU)


def assert_same_decisions(one, other):
    for name, column in one.decisions().items():
        np.testing.assert_array_equal(column, other.decisions()[name], name)


def test_a_run_folder_holds_everything(finished):
    _, (lstm, _) = finished
    assert lstm.status == "done"
    assert [entry["epoch"] for entry in lstm.history] == [0, 1]
    decisions = lstm.decisions()
    assert len(decisions["id"]) == lstm.metrics["n_samples"] > 400
    assert lstm.metrics["accuracy"] == np.mean(decisions["label"] == decisions["true_label"])
    assert lstm.metrics["mean_step"] == decisions["step"].mean()
    assert set(lstm.provenance["packages"]) >= {"torch", "snntorch", "numpy"}
    assert {"code", "command", "hardware", "seed", "threads", "device"} <= set(lstm.provenance)
    assert rv.RunConfig.from_table(lstm.config).to_table() == lstm.config


def test_the_stored_trace_judged_again_gives_the_stored_decisions(finished):
    for record in finished[1]:
        again = rv.decide(record.trace().evidence, rv.FirstSpike(record.config["rule"]["threshold"]))
        for name in ("label", "step", "decided", "tied", "evidence"):
            np.testing.assert_array_equal(getattr(again, name), record.decisions()[name], name)


def test_early_exit_gives_the_decisions_of_the_stored_trace(finished, comparison):
    """The same weights run to the decision: exactly what a full trace judged by the rule says."""
    for record, config in zip(finished[1], comparison.planned(), strict=True):
        splits = load_splits(config, CPU)
        task = assemble(config, splits, CPU)
        rv.experiment.load_weights(task.model, record.folder / "weights.safetensors")
        task.model.eval()
        with torch.no_grad():
            encoded = task.encoder(splits.test, 0)
            early = run_to_decision(task.model, encoded, task.rule).decision()
        stored = record.decisions()
        for name in ("label", "step", "decided", "tied"):
            np.testing.assert_array_equal(getattr(early, name), stored[name], name)


def test_costs_of_the_trace_are_the_costs_counted_step_by_step(comparison):
    config = comparison.runs[1]
    splits = load_splits(config, CPU)
    task = assemble(config, splits, CPU)
    few = splits.valid.select(slice(0, 5))
    trace = trace_split(task, few, "valid")
    model: RankSNN = task.model
    encoded, state, total = task.encoder(few, 0), model.initial_state(5, "cpu"), np.zeros(5)
    with torch.no_grad():
        for step in range(encoded.n_steps):
            x = encoded.at(step)
            _, state = model.step(x, state)
            hidden_spikes = (state.layers["neurons1"].membrane > 1.0).sum(1).numpy()
            total += x.sum(1).numpy() * 32 + hidden_spikes * 10
            np.testing.assert_array_equal(trace.acs[:, step], total)
    assert not trace.macs.any()


def test_the_same_seed_gives_identical_decisions_in_any_order(finished, comparison, tmp_path):
    backwards = rv.Comparison(comparison.name, comparison.runs[::-1])
    snn, lstm = rv.compare(backwards, tmp_path, CPU)
    assert_same_decisions(lstm, finished[1][0])
    assert_same_decisions(snn, finished[1][1])


@pytest.mark.slow
def test_side_by_side_processes_give_the_same_and_another_seed_does_not(finished, comparison, tmp_path):
    first, second, other, _ = rv.compare(comparison.with_seeds(0, 1), tmp_path, CPU, jobs=2)
    assert_same_decisions(first, finished[1][0])
    assert_same_decisions(second, finished[1][1])
    assert (other.decisions()["evidence"] != first.decisions()["evidence"]).any()


class Counting(progress.Progress):
    """Keeps what it is told of every run, by label."""

    def __init__(self):
        self.told = {}

    @contextlib.contextmanager
    def watching(self, config, folder):
        watch = self.told[config.label] = Told()
        yield watch
        watch.left = True

    def finished(self, record):
        self.told[record.label].record = record


class Told(progress.Watch):
    def __init__(self):
        self.batches, self.epochs, self.left, self.record = [], [], False, None

    def batch(self, means):
        self.batches.append(means)

    def epoch(self, entry):
        self.epochs.append(entry)


@pytest.mark.slow
def test_progress_is_told_the_same_whatever_the_number_of_jobs(comparison, tmp_path):
    seen = []
    for jobs in (1, 2):
        counting = Counting()
        rv.compare(comparison, tmp_path / str(jobs), CPU, jobs=jobs, progress=counting)
        for told in counting.told.values():
            assert told.left
            assert told.epochs == told.record.history
        seen.append({label: told.batches for label, told in counting.told.items()})
    assert seen[0] == seen[1]
    assert {label: len(batches) for label, batches in seen[0].items()} == {"RC-LSTM": 34, "rank-SNN": 34}


@pytest.mark.slow
def test_a_progress_that_raises_ends_all_jobs(comparison, tmp_path):
    class Full(progress.Progress):
        def finished(self, record):
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        rv.compare(comparison.with_training(epochs=3), tmp_path, CPU, jobs=2, progress=Full())
    left = [path.name for path in tmp_path.iterdir()]
    assert not [name for name in left if name.startswith(".") and not name.startswith(".plan-")]
    assert left


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_plug_in_that_leaves_is_named(comparison, tmp_path, jobs):
    def leaving(samples, seed=0):
        if len(samples) > 1:
            raise SystemExit(5)
        return rv.SpikeTimes(np.zeros((1, 64), int), 4, (8, 8))

    with pytest.raises(rv.InputError, match=r"(RC-LSTM|rank-SNN): encoder .*leaving. raised SystemExit: 5"):
        rv.compare(comparison.with_encoder(leaving), tmp_path, CPU, jobs=jobs)
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_another_command_finished_meanwhile_is_not_made_again(comparison, tmp_path, monkeypatch):
    one = rv.Comparison("x", comparison.runs[:1])
    other = one.with_training(epochs=1)
    real_check = planning.check_run

    def meanwhile(config, execution):
        rv.run(other.runs[0], tmp_path / "run", CPU)
        real_check(config, execution)

    monkeypatch.setattr(planning, "check_run", meanwhile)
    with pytest.raises(rv.InputError, match=r"holds another run \(training.epochs: 1 -> 2\)"):
        execute.execute([planning.PlannedRun(one.planned()[0], tmp_path / "run")], CPU)
    assert len(rv.read_record(tmp_path / "run").history) == 1


def test_both_families_meet_the_same_samples_in_the_same_order(comparison):
    orders = []
    for config in comparison.planned():
        splits = load_splits(config, CPU)
        task = assemble(config, splits, CPU)
        rows = rv.seeds.generator_for(task.seed, "shuffle", 0).permutation(len(splits.train))
        batches = task.batches(splits.train, rows, 64, "train-0", augment=True)
        orders.append([(encoded.steps, labels) for encoded, labels in batches])
    for (steps, labels), (other_steps, other_labels) in zip(*orders, strict=True):
        assert torch.equal(steps, other_steps)
        assert torch.equal(labels, other_labels)


def test_finished_runs_are_read_and_only_missing_ones_made(finished, comparison, tmp_path, monkeypatch):
    made = []
    real_run = spreading.train_and_judge
    monkeypatch.setattr(
        spreading,
        "train_and_judge",
        lambda config, *a, **k: made.append(config.label) or real_run(config, *a, **k),
    )
    rv.compare(rv.Comparison("x", comparison.runs[:1]), tmp_path, CPU)
    rv.compare(comparison, tmp_path, CPU)
    rv.compare(comparison, tmp_path, CPU)
    assert made == ["RC-LSTM", "rank-SNN"]


def test_another_configuration_in_the_folder_is_refused_unless_overwritten(finished, comparison, tmp_path):
    one = rv.Comparison("x", comparison.runs[:1])
    rv.compare(one, tmp_path, CPU)
    changed = one.with_training(epochs=1)
    with pytest.raises(rv.InputError, match=r"training\.epochs: 2 -> 1"):
        rv.compare(changed, tmp_path, CPU)
    assert len(rv.compare(changed, tmp_path, CPU, overwrite=True)[0].history) == 1


def test_an_interrupted_comparison_keeps_what_is_finished(comparison, tmp_path):
    class Stop(progress.Progress):
        def finished(self, record):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rv.compare(comparison, tmp_path, CPU, progress=Stop())
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["rc-lstm-seed0"]
    assert rv.read_record(tmp_path / "rc-lstm-seed0").status == "done"


def test_a_diverged_run_is_kept_as_failed_and_tried_again(comparison, tmp_path):
    wild = rv.Comparison("wild", comparison.runs[:1]).with_training(learning_rate=1e5, clip_norm=0, epochs=5)
    (record,) = rv.compare(wild.with_encoder(exploding), tmp_path, CPU)
    assert record.status == "failed"
    assert "learning_rate" in record.reason
    assert record.metrics == {}
    with pytest.raises(rv.InputError, match="failed run"):
        rv.evaluate(record, CPU)


def exploding(samples, seed=0):
    """An encoder whose values overflow a network."""
    return rv.Frames(torch.full((2, len(samples), 3), 3e38), (3,))


def test_evaluate_repeats_the_stored_metrics_and_takes_another_threshold(finished):
    for record in finished[1]:
        again = rv.evaluate(record, CPU)
        shared = [key for key in record.metrics if key in again]
        assert "accuracy" in shared
        np.testing.assert_equal([again[key] for key in shared], [record.metrics[key] for key in shared])
        low = rv.evaluate(record, CPU, rule=rv.Part("first-spike", {"threshold": 1e-3}))
        assert low["mean_step"] < record.metrics["mean_step"]
        assert rv.evaluate(record, CPU, split="valid")["n_samples"] != record.metrics["n_samples"]


def test_evaluate_calibrates_the_thresholds_on_valid(finished):
    for record in finished[1]:
        own = rv.evaluate(record, CPU)
        budget = 0.5 * rv.evaluate(record, CPU, split="valid")["mean_step"]
        sooner = rv.evaluate(record, CPU, mean_step=budget)
        assert sooner["mean_step"] < own["mean_step"]
        assert [a < b for a, b in zip(sooner["thresholds"], own["thresholds"], strict=True)] == [True, True]
        on_valid = rv.evaluate(record, CPU, split="valid", mean_step=budget)
        assert on_valid["mean_step"] <= budget
        assert on_valid["thresholds"] == sooner["thresholds"], "chosen on valid, whatever is judged"


def test_weights_of_another_architecture_are_refused(finished, tmp_path):
    lstm, snn = finished[1]
    weights = rv.records.read_weights(snn.folder / "weights.safetensors")
    parts = lstm.config, lstm.history, lstm.provenance, rv.records.Result(lstm.metrics, weights)
    rv.records.write_run(tmp_path, *parts)
    with pytest.raises(rv.InputError, match="another architecture"):
        rv.evaluate(rv.read_record(tmp_path), CPU)
    (tmp_path / "weights.safetensors").write_bytes(b"nonsense")
    with pytest.raises(rv.InputError, match="damaged"):
        rv.evaluate(rv.read_record(tmp_path), CPU)


def test_a_plain_function_is_an_encoder(comparison, tmp_path):
    def bright_first(samples, seed=0):
        intensity = samples.intensities().reshape(len(samples), -1)
        return rv.SpikeTimes((3 * (1 - intensity)).astype(int), 4, (8, 8))

    (record,) = rv.compare(rv.Comparison("f", comparison.runs[:1]).with_encoder(bright_first), tmp_path, CPU)
    assert record.metrics["n_steps"] == 4
    assert record.config["encoder"]["name"].endswith("bright_first")


@dataclass(frozen=True)
class Brightest:
    """A configured encoder of a script."""

    n_steps: int = 3

    def __call__(self, samples, seed=0):
        """Spike at once where bright."""
        steps = np.where(samples.intensities().reshape(len(samples), -1) > 0.5, 0, self.n_steps)
        return rv.SpikeTimes(steps, self.n_steps, (8, 8))


def test_a_run_with_an_own_encoder_can_be_evaluated_again(comparison, tmp_path):
    (record,) = rv.compare(rv.Comparison("f", comparison.runs[:1]).with_encoder(Brightest(5)), tmp_path, CPU)
    assert record.config["encoder"]["n_steps"] == 5
    assert (
        rv.evaluate(record, rv.Execution(device="cpu", trust=True))["accuracy"] == record.metrics["accuracy"]
    )
    record.config["encoder"]["source_sha256"] = "another"
    with pytest.raises(rv.InputError, match="not the code"):
        rv.evaluate(record, rv.Execution(device="cpu", trust=True))


def test_test_split_is_read_once_and_never_before_training_ends(comparison, tmp_path):
    """Samples that tell when they are touched: the test split is encoded only after the last epoch."""
    log = []

    class Watched(Samples):
        def select(self, rows):
            log.append(self.ids[0])
            return super().select(rows)

    def watched_digits(root):
        splits = rv.registry.datasets.build("digits", {}, root=root)
        return Splits(*(Watched(**vars(getattr(splits, name))) for name in ("train", "valid", "test")),
                      splits.class_names)  # fmt: skip

    config = rv.Comparison("w", comparison.runs[:1]).with_dataset(watched_digits).planned()[0]
    rv.run(config, str(tmp_path / "run"), CPU)
    splits = watched_digits(None)
    firsts = {getattr(splits, name).ids[0]: name for name in ("train", "valid", "test")}
    order = [firsts[first] for first in log]
    assert order.count("test") == 1  # 449 samples, one batch
    assert order[-1] == "test"
    assert order.count("valid") >= 2


def test_every_fault_is_found_before_training(comparison):
    faulty = rv.load_preset("digits", [*SMALL, "encoder.name=latensy", "objective.beta=big"])
    with pytest.raises(rv.InputError, match=r"did you mean 'latency'.*beta must be a number"):
        check_run(faulty.runs[0], CPU)
    with pytest.raises(rv.InputError, match="cannot be met by a probability"):
        check_run(rv.load_preset("digits", ["models.rc-lstm.rule.threshold=1.5"]).runs[0], CPU)
    with pytest.raises(rv.InputError, match="not available"):
        check_run(comparison.runs[0], rv.Execution(device="cuda:7"))
    with pytest.raises(rv.InputError, match="threads"):
        rv.Execution(threads=0)


def test_a_disk_too_full_is_told_before_training(comparison, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 1000})())
    seen = []
    with pytest.raises(rv.InputError, match=r"0 MB free and a run needs about 2 MB"):
        rv.run(comparison.runs[0], tmp_path / "run", CPU, on_epoch=seen.append)
    assert seen == []
    assert list(tmp_path.iterdir()) == []


def test_the_expected_size_bounds_the_real_one(finished, comparison):
    for record, config in zip(finished[1], comparison.planned(), strict=True):
        splits = load_splits(config, CPU)
        expected = running._expected_bytes(assemble(config, splits, CPU), splits)
        real = sum(path.stat().st_size for path in record.folder.iterdir())
        assert real < expected < 20 * real


def test_global_torch_state_is_left_alone(comparison, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    rv.run(comparison.runs[0], tmp_path / "run", rv.Execution(device="cpu", threads=2))
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == 1


def test_provenance_is_plain_json(finished):
    text = (finished[1][0].folder / "provenance.json").read_text()
    assert json.loads(text)["schema_version"] == 2
