"""What every model must do in training: one epoch with every option."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from rc_vs_snn.augmentations import NoAugmentation
from rc_vs_snn.config import Training
from rc_vs_snn.contracts import Samples
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.testing.promise import require
from rc_vs_snn.training.loop import train
from rc_vs_snn.training.objectives import EveryStep, RankCoding
from rc_vs_snn.training.task import Task

N_SAMPLES, N_STEPS = 10, 4

OPTIONS: tuple[dict[str, Any], ...] = (
    {"schedule": "one-cycle", "weight_decay": 0.1, "clip_norm": 0.5},
    {"schedule": "cosine", "ema_decay": 0.9, "threshold_warmup": 1, "patience": 1},
    {"schedule": "constant", "precision": "bfloat16", "weight_decay": 0.0, "clip_norm": 0.0},
)
"""Together every option of ``Training``; batches of four, the last one of two."""


def check_training(build: Callable[[], Any], layout: tuple[int, ...], n_classes: int) -> None:
    """Check that a model trains for an epoch with every option of ``Training``.

    Args:
        build: returns a new model, an ``nn.Module`` that is a ``rc_vs_snn.models.Model``.
        layout: shape of the input channels.
        n_classes: number of classes K.

    Raises:
        AssertionError: a training fails; says with which options, and how.
    """
    for options in OPTIONS:
        model = build()
        rule = FirstSpike(0.5 if model.evidence == "probability" else 1.0)
        for objective in (RankCoding(auxiliary=0.1), EveryStep()):
            task = Task(
                model, NoAugmentation(), _Code(layout), objective, rule, 0, torch.device("cpu")
            )  # fmt: skip
            samples = _samples(int(np.prod(layout)), n_classes)
            try:
                train(task, samples, samples, Training(epochs=1, batch_size=4, **options))
            except Exception as error:
                raise AssertionError(
                    f"a training with {options} and {type(objective).__name__} fails: "
                    f"{type(error).__name__}: {error}"
                ) from error
            broken = [
                name for name, value in model.state_dict().items() if not bool(torch.isfinite(value).all())
            ]
            require(not broken, f"after a training with {options}, {broken} hold NaN or infinity")


class _Code:
    """The sooner, the larger a channel's value; any layout."""

    def __init__(self, layout: tuple[int, ...]) -> None:
        self.layout = layout

    def __call__(self, samples: Samples, seed: int = 0) -> Encoded:
        steps = np.floor((1 - samples.values[:, 0]) * N_STEPS).astype(np.int64)
        return SpikeTimes(torch.from_numpy(steps), N_STEPS, self.layout)


def _samples(n_channels: int, n_classes: int) -> Samples:
    values = np.random.default_rng(0).random((N_SAMPLES, 1, n_channels))
    return Samples(values, np.arange(N_SAMPLES) % n_classes, np.arange(N_SAMPLES), "signals", n_classes)
