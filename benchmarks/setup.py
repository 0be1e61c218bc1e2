"""Data and briefly trained models that the benchmarks share."""

from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from rc_vs_snn import seeds
from rc_vs_snn.augmentations.none import NoAugmentation
from rc_vs_snn.config import Training
from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.datasets.digits import digits
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.datasets.mnist import mnist
from rc_vs_snn.decision import evidence_trace, run_full
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.encoders.latency import Latency
from rc_vs_snn.models.rank_snn import RankSNN
from rc_vs_snn.models.rc_lstm import rc_lstm
from rc_vs_snn.objectives import RankCoding
from rc_vs_snn.rules import FirstSpike, decide
from rc_vs_snn.training import Task, train

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
        epochs: of the trained operating point, on the whole training split.
        singles: samples decided one by one in a timing.
        rows_for_memory: rows of the smaller memory measurement.
    """

    dataset: str
    rounds: int
    batch: int
    n_steps: int
    all_n_steps: tuple[int, ...]
    batches: tuple[int, ...]
    hidden_lstm: int
    hidden_snn: int
    epochs: int
    singles: int
    rows_for_memory: int


FULL = Scale("mnist", 7, 256, 20, (5, 10, 20, 50, 100), (1, 32, 256, 10_000), 256, 512, 10, 32, 1024)
QUICK = Scale("digits", 7, 64, 8, (5, 8), (1, 64), 32, 48, 10, 8, 256)


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model and the rule of its operating point."""

    model: Any
    rule: FirstSpike


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
    """Train "rc-lstm" or "rank-snn" at the T of the scale; at another T, tune that model briefly."""
    splits = load(scale)
    if n_steps != scale.n_steps:
        start = trained(family, scale.n_steps, scale)
        model, rule = deepcopy(start.model), start.rule
        return _fit(model, rule, n_steps, splits, slice(0, 20 * scale.batch), epochs=1, scale=scale)
    torch.manual_seed(seeds.seed_for(0, "weights", family))
    layout = splits.train.values.shape[1:]
    rule = FirstSpike(0.95) if family == "rc-lstm" else FirstSpike(4.0)
    model = build(family, layout, splits.n_classes, scale)
    return _fit(model, rule, n_steps, splits, slice(None), epochs=scale.epochs, scale=scale)


def build(family: str, layout: tuple[int, ...], n_classes: int, scale: Scale) -> torch.nn.Module:
    if family == "rc-lstm":
        return rc_lstm(layout, n_classes, hidden=scale.hidden_lstm)
    # A reset to zero and a fixed decay: the one equation that all four libraries compute.
    return RankSNN(
        layout, n_classes, hidden=scale.hidden_snn, decay=DECAY, learn_decay=False, reset="zero", gain=2.0
    )


def _fit(
    model: torch.nn.Module, rule: FirstSpike, n_steps: int, splits: Splits, rows: slice, *, epochs: int,
    scale: Scale,
) -> Trained:  # fmt: skip
    membrane = isinstance(model, RankSNN)
    task = Task(
        model, NoAugmentation(), Latency(n_steps), RankCoding(auxiliary=0.3 if membrane else 0.0), rule, 0,
        torch.device("cpu"),
    )  # fmt: skip
    config = Training(epochs=epochs, batch_size=scale.batch, threshold_warmup=1)
    train(task, splits.train.select(rows), splits.valid.select(slice(0, 500)), config)
    return Trained(model.eval(), rule)


def threshold_for(model: Any, encoded: SpikeTimes, mean_step: float) -> FirstSpike:
    """Return the threshold at which the mean decision step over ``encoded`` comes nearest ``mean_step``."""
    with torch.inference_mode():
        trace = evidence_trace(run_full(model, encoded), model.evidence)  # (B, T, K)
    if mean_step >= encoded.n_steps - 1:
        return FirstSpike(1e9)
    levels = np.unique(trace.max(2))
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if decide(trace, FirstSpike(float(levels[middle]))).step.mean() < mean_step:
            low = middle + 1
        else:
            high = middle
    # The middle of the widest gap nearby: rounding must not decide who crosses.
    first = max(0, low - 5)
    near = levels[first : low + 5].astype(np.float64)
    widest = int(np.diff(near).argmax())
    return FirstSpike(float(near[widest : widest + 2].mean()))
