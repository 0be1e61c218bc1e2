"""Synthetic run folders, written by the project's own writers: the real format is what is read."""

from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn import records
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.metrics import summarise
from rc_vs_snn.decision.rules import FirstSpike, decide


def simulate(seed: int, n: int, n_steps: int, n_classes: int, gain: float, kind: str) -> Trace:
    """Evidence that grows over time towards the true class, faster for some samples than for others."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, n_classes, n)
    ease = rng.lognormal(0.0, 0.7, n)[:, None]
    steps = np.arange(n_steps)[None]
    growth = gain * ease * (1 + 2.5 * (1 - np.exp(-steps / 2)))  # (N, T)
    noise = rng.normal(0, 1, (n, 1, n_classes)) + rng.normal(0, 0.3, (n, n_steps, n_classes)).cumsum(1)
    potential = noise
    potential[np.arange(n), :, labels] += growth
    if kind == "probability":
        odds = np.exp(potential - potential.max(axis=2, keepdims=True))
        evidence = odds / odds.sum(axis=2, keepdims=True)
    else:
        evidence = potential
    events = rng.poisson(10, (n, n_steps)).cumsum(1)
    real_valued = kind == "probability"
    return Trace(
        evidence=evidence.astype(np.float32),
        labels=labels,
        ids=np.arange(n) + 1000,
        acs=events * 512 + (0 if real_valued else 2000 * (steps + 1)),
        macs=np.broadcast_to(60_000 * (steps + 1) * real_valued, events.shape).copy(),
        input_events=events,
    )


def write_run(
    root: Path, trace: Trace, *, label="RC-LSTM", seed=0, threshold=0.95, evidence="probability",
    status="done", reason="", history=True, **sections,
) -> records.Record:  # fmt: skip
    config = {
        "label": label,
        "seed": seed,
        "dataset": {"name": "digits"},
        "encoder": {"name": "latency", "n_steps": trace.n_steps},
        "model": {"name": "rc-lstm" if evidence == "probability" else "rank-snn", "hidden": 128},
        "rule": {"name": "first-spike", "threshold": threshold},
        "objective": {"name": "rank-coding", "beta": 0.0},
        "training": {"epochs": 10},
        **sections,
    }
    folder = root / f"{label.lower().replace(' ', '-')}-seed{seed}"
    decision = decide(trace.evidence, FirstSpike(threshold), trace.lengths)
    with records.atomic_folder(folder) as working:
        outcome = records.Result()
        if status == "done":
            metrics = {
                **summarise(trace, decision),
                "parameters": 235_146,
                "train_seconds": 61.5,
                "evidence": evidence,
                "epochs_run": 10,
            }
            outcome = records.Result(metrics, judged=(trace, decision))
        epochs = _history(seed, 10, trace) if history else []
        provenance = {"schema_version": records.SCHEMA_VERSION, "status": status, "reason": reason}
        records.write_run(working, config, epochs, provenance, outcome)
    return records.read_record(folder)


def _history(seed: int, epochs: int, trace: Trace) -> list[dict]:
    # the trace differs from model to model, so its history does too
    wobble = np.random.default_rng([seed, *trace.labels[:4]]).normal(0, 0.006, epochs)
    return [
        {
            "epoch": epoch,
            "train_loss": 2.0 / epoch,
            "valid_accuracy": float(0.97 - 0.3 * np.exp(-epoch / 1.5) + wobble[epoch - 1]),
            "valid_mean_step": float(1 + 4 * np.exp(-epoch / 3) + 10 * wobble[epoch - 1]),
            "valid_forced": 0.02,
        }
        for epoch in range(1, epochs + 1)
    ]


@pytest.fixture(name="simulate")
def _simulate():
    """A maker of traces."""
    return simulate


@pytest.fixture(name="write_run")
def _write_run():
    """A writer of run folders at a place of the test's own."""
    return write_run


@pytest.fixture
def make_run(tmp_path):
    """Write a run folder of a given trace and read it back."""

    def make(trace: Trace, **options) -> records.Record:
        return write_run(tmp_path / "runs", trace, **options)

    return make


@pytest.fixture(scope="session")
def two_models(tmp_path_factory) -> list[records.Record]:
    """Two models, three seeds each: probabilities and membrane potentials."""
    root = tmp_path_factory.mktemp("two_models")
    return [
        write_run(
            root, simulate(10 * seed + index, 400, 8, 5, gain, kind),
            label=label, seed=seed, evidence=kind, threshold=threshold,
        )
        for index, (label, kind, gain, threshold) in enumerate(
            [("RC-LSTM", "probability", 2.4, 0.95), ("RC-SNN", "membrane", 2.8, 4.0)]
        )
        for seed in range(3)
    ]  # fmt: skip


@pytest.fixture(scope="session")
def one_seed(two_models) -> list[records.Record]:
    """The first seed of each model."""
    return [record for record in two_models if record.seed == 0]


@pytest.fixture
def two_objectives(make_run) -> list[records.Record]:
    """One model at two numbers of steps under two objectives, one seed each."""
    return [
        make_run(
            simulate(index, 200, n_steps, 5, 2.4, "probability"),
            label=f"{objective}, T = {n_steps}", objective={"name": objective},
        )
        for index, (n_steps, objective) in enumerate(
            [(4, "rank-coding"), (4, "last-step"), (8, "rank-coding"), (8, "last-step")]
        )
    ]  # fmt: skip


@pytest.fixture
def tiny_trace() -> Trace:
    """Four samples, three steps, two classes; true labels 0, 1, 0, 1. Worked by hand in the tests."""
    first = np.array(
        [
            [0.97, 0.60, 0.99],  # right at once, sure at once
            [0.60, 0.30, 0.02],  # wrong at first, right and sure at step 2
            [0.04, 0.70, 0.80],  # sure and wrong at step 0, right from step 1 on
            [0.45, 0.48, 0.55],  # never sure; right at first, wrong at the end
        ]
    )
    steps = np.arange(1, 4)
    return Trace(
        evidence=np.stack([first, 1 - first], axis=2).astype(np.float32),
        labels=np.array([0, 1, 0, 1]),
        ids=np.arange(4),
        acs=np.array([[10], [20], [30], [40]]) * steps,
        macs=np.array([[1], [1], [1], [1]]) * steps * 100,
        input_events=np.array([[1], [2], [3], [4]]) * steps,
    )
