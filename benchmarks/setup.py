"""Data, operating points and trained models that the benchmarks share."""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from rc_vs_snn.config import RunConfig
from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.datasets.digits import digits
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.datasets.mnist import mnist
from rc_vs_snn.decision.batch import run_full
from rc_vs_snn.decision.reading import evidence_trace
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.encoders.latency import Latency
from rc_vs_snn.experiment import Execution, load_weights
from rc_vs_snn.experiment.comparison import load_preset
from rc_vs_snn.experiment.parts import assemble
from rc_vs_snn.models.rank_snn import RankSNN
from rc_vs_snn.models.rc_lstm import rc_lstm
from rc_vs_snn.records.provenance import code_version
from rc_vs_snn.training.loop import train, validate
from rc_vs_snn.training.task import Task

DECAY = 0.9


@dataclass(frozen=True)
class Scale:
    """How large everything is.

    Attributes:
        dataset: "mnist", or "digits" for a look at whether it runs.
        rounds: timings per contender.
        batch: rows of a training step and of the efficiency benchmark.
        n_steps: the T of most benchmarks.
        all_n_steps: the T of the training benchmark.
        batches: batch sizes of the inference benchmark.
        hidden_lstm, hidden_snn: hidden units.
        preset: the recipe of the trained operating point.
        settings: what of it is changed, as after ``--set``.
        batch_of_frames: rows of a training step on frames.
        hidden_frames: hidden units there.
        singles: samples decided one by one in a timing.
        rows_for_memory: rows of the smaller memory measurement.
        cache: folder in which trained weights are kept for the next run of the same recipe and code.
    """

    dataset: str
    rounds: int
    batch: int
    n_steps: int
    all_n_steps: tuple[int, ...]
    batches: tuple[int, ...]
    hidden_lstm: int
    hidden_snn: int
    preset: str
    settings: tuple[str, ...]
    batch_of_frames: int
    hidden_frames: tuple[int, ...]
    singles: int
    rows_for_memory: int
    cache: Path | None = None


FULL = Scale(
    "mnist",
    7,
    256,
    20,
    (5, 10, 20, 50, 100),
    (1, 32, 256, 10_000),
    256,
    512,
    "mnist-fc",
    (),
    128,
    (256, 512),
    32,
    1024,
)
QUICK = Scale(
    "digits", 7, 64, 8, (5, 8), (1, 64), 32, 48, "digits", ("training.epochs=20",), 32, (32,), 8, 256
)  # fmt: skip

# Not the preset's: one constant threshold, which the other ways of running can be given too.
THRESHOLDS = {"rc-lstm": 0.95, "rank-snn": 4.0}
# Nor this: a reset to zero and a fixed decay, the one equation that all four libraries compute.
COMMON_NEURON = ("model.reset=zero", "model.learn_decay=false", f"model.decay={DECAY}")


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model and the rule of its operating point.

    Attributes:
        model: in eval mode.
        rule: the preset's.
        about: how it was trained and how good it is, in one line.
    """

    model: Any
    rule: FirstSpike
    about: str


@lru_cache(maxsize=1)
def load(scale: Scale) -> Splits:
    return mnist(data_root()) if scale.dataset == "mnist" else digits()


def encode(samples: Samples, n_steps: int) -> SpikeTimes:
    return Latency(n_steps)(samples)


def test_batch(scale: Scale, n_steps: int, rows: int) -> tuple[SpikeTimes, torch.Tensor]:
    """Return the first test samples and their labels."""
    samples = load(scale).test.select(slice(0, rows))
    return encode(samples, n_steps), torch.from_numpy(samples.labels)


def sequence(encoded: SpikeTimes) -> torch.Tensor:
    """Return the one-hot sequence that other tools read, ``(T, B, C)`` float."""
    return torch.stack([encoded.at(step) for step in range(encoded.n_steps)])


@lru_cache(maxsize=8)
def trained(family: str, n_steps: int, scale: Scale) -> Trained:
    """Train a family by the preset at the T of the scale; for another T, tune that model briefly."""
    config = recipe(family, n_steps, scale)
    splits = load(scale)
    task = assemble(config, splits, Execution(device="cpu"))
    cached = _cached(config, scale.cache)
    if cached is not None and cached.is_file():
        load_weights(task.model, cached)
    elif n_steps == scale.n_steps:
        train(task, splits.train, splits.valid, config.training)
    else:
        task.model.load_state_dict(trained(family, scale.n_steps, scale).model.state_dict())
        briefly = replace(config.training, epochs=1)
        train(task, splits.train.select(slice(0, 20 * scale.batch)), splits.valid, briefly)
    if cached is not None and not cached.is_file():
        _keep(task.model, cached)
    how = (
        f"{config.training.epochs} epochs" if n_steps == scale.n_steps else f"tuned from T = {scale.n_steps}"
    )
    about = (
        f"{family}, T = {n_steps}, preset {scale.preset}, {how}, seed {config.seed}: {_success(task, splits)}"
    )
    print(f"  {about}", flush=True)
    return Trained(task.model.eval(), FirstSpike(**config.rule.options), about)


def recipe(family: str, n_steps: int, scale: Scale) -> RunConfig:
    """Return the preset's configuration of one family at this scale."""
    hidden = {"rc-lstm": scale.hidden_lstm, "rank-snn": scale.hidden_snn}
    settings = [f"encoder.n_steps={n_steps}", *scale.settings]
    settings += [f"models.{name}.model.hidden={width}" for name, width in hidden.items()]
    settings += [f"models.rank-snn.{setting}" for setting in COMMON_NEURON]
    for name, threshold in THRESHOLDS.items():
        settings += [f"models.{name}.rule.name=first-spike", f"models.{name}.rule.threshold={threshold}"]
    return next(run for run in load_preset(scale.preset, settings).runs if run.model.name == family)


def build(family: str, layout: tuple[int, ...], n_classes: int, scale: Scale) -> torch.nn.Module:
    """Return an untrained model."""
    if family == "rc-lstm":
        return rc_lstm(layout, n_classes, hidden=scale.hidden_lstm)
    return RankSNN(
        layout, n_classes, hidden=scale.hidden_snn, decay=DECAY, learn_decay=False, reset="zero", gain=2.0
    )


def _cached(config: RunConfig, cache: Path | None) -> Path | None:
    if cache is None:
        return None
    key = json.dumps([config.to_table(), code_version()], sort_keys=True, default=str)
    return cache / f"{config.model.name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"


def _keep(model: torch.nn.Module, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{time.time_ns()}")
    partial.write_bytes(save({name: weight.contiguous() for name, weight in model.state_dict().items()}))
    partial.replace(path)


def _success(task: Task, splits: Splits) -> str:
    means = validate(task, splits.test, role="test").means("test")
    return (
        f"{100 * means['test_accuracy']:.2f} % of test right, mean step {means['test_mean_step']:.2f}, "
        f"{100 * means['test_forced']:.2f} % forced"
    )


def threshold_for(model: Any, encoded: Encoded, mean_step: float) -> FirstSpike:
    """Return the threshold at which the mean decision step over ``encoded`` comes nearest ``mean_step``."""
    with torch.inference_mode():
        trace = evidence_trace(run_full(model, encoded), model.evidence)  # (B, T, K)
    lengths = None if encoded.lengths is None else encoded.lengths.numpy()
    if mean_step >= encoded.n_steps - 1:
        return FirstSpike(1e9)
    levels = np.unique(trace.max(2))
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if decide(trace, FirstSpike(float(levels[middle])), lengths).step.mean() < mean_step:
            low = middle + 1
        else:
            high = middle
    # The middle of the widest gap nearby: rounding must not decide who crosses.
    first = max(0, low - 5)
    near = levels[first : low + 5].astype(np.float64)
    widest = int(np.diff(near).argmax())
    return FirstSpike(float(near[widest : widest + 2].mean()))
