"""Schedules of a training: learning rate, threshold, and which parameters decay."""

from typing import Any

import torch
from torch import nn

from rc_vs_snn.config import Training
from rc_vs_snn.decision.rules import Rule, Scaled


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Return optimiser groups: weight matrices decay, biases and neuron constants do not."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def warmed_up(rule: Rule, config: Training, epochs_done: float) -> Rule:
    """Return the rule training sees after ``epochs_done`` epochs (a fraction within one)."""
    if epochs_done >= config.threshold_warmup:
        return rule
    return Scaled(rule, epochs_done / config.threshold_warmup)


def make_schedule(
    optimiser: torch.optim.Optimizer, config: Training, n_batches: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Return the learning-rate schedule, stepped once per batch."""
    total = config.epochs * n_batches
    if config.schedule == "one-cycle":
        steps = total + 1
        rise = min(0.9, max(0.25, 2 / steps))  # a rise of less than a step divides by zero in torch
        return torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=config.learning_rate, total_steps=steps, pct_start=rise
        )
    if config.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=total)
    return torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
