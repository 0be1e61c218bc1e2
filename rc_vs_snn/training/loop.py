"""Training of one model: optimiser, schedule, one epoch function, early stopping on valid."""

import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn import seeds
from rc_vs_snn.config import Training
from rc_vs_snn.contracts import Decision, Samples
from rc_vs_snn.decision.batch import run_to_decision
from rc_vs_snn.errors import DivergedError
from rc_vs_snn.kernels import backend
from rc_vs_snn.models.layers.norm import averaging, batch_norms
from rc_vs_snn.training.averaging import RunningMean
from rc_vs_snn.training.schedules import make_schedule, parameter_groups, warmed_up
from rc_vs_snn.training.task import Task

Report = Callable[[dict[str, Any]], None]


class Tally:
    """Running sums of accuracy, decision step, forced share and loss over batches."""

    def __init__(self) -> None:
        self.count = self.right = self.steps = self.forced = 0
        self.loss = 0.0

    def add(self, decision: Decision, labels: np.ndarray, loss: float = 0.0) -> None:
        """Count one batch."""
        self.count += len(labels)
        self.right += int((decision.label == labels).sum())
        self.steps += int(decision.step.sum())
        self.forced += int((~decision.decided).sum())
        self.loss += loss * len(labels)

    def means(self, prefix: str) -> dict[str, float]:
        """Return the means with ``prefix`` before each name."""
        totals = {"accuracy": self.right, "mean_step": self.steps, "forced": self.forced}
        return {f"{prefix}_{name}": total / max(self.count, 1) for name, total in totals.items()}


def train_epoch(
    task: Task,
    samples: Samples,
    rows: np.ndarray,
    epoch: int,
    config: Training,
    optimiser: torch.optim.Optimizer,
    advance: Callable[[], None],
    report: Report | None = None,
) -> Tally:
    """Train on ``rows`` once, in batches.

    Args:
        task: the parts.
        samples: the training split.
        rows: order in which samples are drawn.
        epoch: number of the epoch, from 0 (a stochastic encoder draws anew in each).
        config: batch size and clipping.
        optimiser: stepped once per batch.
        advance: called after every batch (steps the schedule).
        report: called after every batch with the running means.

    Raises:
        DivergedError: the loss or the evidence is NaN or infinite.
    """
    task.model.train()
    tally = Tally()
    batches = task.batches(samples, rows, config.batch_size, f"train-{epoch}", augment=True)
    for encoded, labels in batches:
        done = epoch + tally.count / len(rows)
        rule = warmed_up(task.rule, config, done)
        with torch.autocast(task.device.type, torch.bfloat16, enabled=config.precision == "bfloat16"):
            loss, decision = task.loss(encoded, labels, rule, done / config.epochs)
        if not math.isfinite(loss.item()):
            raise DivergedError(
                f"the loss became {loss.item()} in epoch {epoch}; lower training.learning_rate or "
                "training.clip_norm"
            )
        task.model.zero_grad(set_to_none=True)
        loss.backward()
        if config.clip_norm:
            nn.utils.clip_grad_norm_(task.model.parameters(), config.clip_norm)
        optimiser.step()
        advance()
        tally.add(decision, labels.cpu().numpy(), loss.item())
        if report is not None:
            report(tally.means("train"))
    return tally


@torch.no_grad()
def measure_statistics(task: Task, samples: Samples, batch_size: int, n_batches: int = 40) -> None:
    """Measure anew what the model's normalisations hold, over the first training samples.

    Args:
        task: the parts; the running statistics of ``task.model`` are replaced.
        samples: the training split.
        batch_size: samples per batch.
        n_batches: batches to average over.

    Source: Izmailov et al. 2018, arXiv 1803.05407 (statistics of averaged weights are to be measured).
    """
    norms = batch_norms(task.model)
    if not norms:
        return
    task.model.eval()
    rows = np.arange(min(len(samples), n_batches * batch_size))
    with averaging(norms):
        for encoded, _ in task.batches(samples, rows, batch_size, "statistics", augment=True):
            task.model.step(encoded.at(0), task.model.initial_state(len(encoded), encoded.device))


@torch.no_grad()
def validate(task: Task, samples: Samples, batch_size: int = 512, role: str = "valid") -> Tally:
    """Decide every sample with early exit and count."""
    task.model.eval()
    tally = Tally()
    for encoded, labels in task.batches(samples, np.arange(len(samples)), batch_size, role):
        outcome = run_to_decision(task.model, encoded, task.rule)
        tally.add(outcome.decision(), labels.cpu().numpy())
    return tally


def train(
    task: Task,
    train_samples: Samples,
    valid_samples: Samples,
    config: Training,
    report: Report | None = None,
    on_epoch: Report | None = None,
) -> list[dict[str, Any]]:
    """Train a model and leave it with the weights of its best epoch on ``valid``, or of its last.

    Args:
        task: the parts; ``task.model`` is changed in place.
        train_samples: the training split.
        valid_samples: the validation split: early stopping and the choice of weights see it.
        config: how to train.
        report: called after every batch with running means.
        on_epoch: called after every epoch with its history entry.

    Returns:
        One entry per epoch: epoch, train_loss, train_/valid_ accuracy, mean_step and forced,
        seconds, learning_rate.

    Raises:
        DivergedError: loss or evidence are no longer finite.
    """
    groups = parameter_groups(task.model, config.weight_decay)
    optimiser = torch.optim.AdamW(groups, lr=config.learning_rate, fused=backend.fuses_adamw(task.device))
    n_batches = math.ceil(len(train_samples) / config.batch_size)
    schedule = make_schedule(optimiser, config, n_batches)
    averaged = RunningMean(task.model, config.ema_decay) if config.ema_decay else None
    judged = replace(task, model=averaged.module) if averaged else task

    def after_batch() -> None:
        schedule.step()
        if averaged:
            averaged.update(task.model)

    def valid_means() -> dict[str, float]:
        if averaged:
            # Means of past statistics are not the statistics of the mean weights.
            measure_statistics(judged, train_samples, config.batch_size)
        return validate(judged, valid_samples).means("valid")

    history: list[dict[str, Any]] = []
    silent, warned, commonest = 0, False, int(np.bincount(train_samples.labels).max())
    best, best_weights, since_best = -1.0, _copy_weights(task.model), 0
    for epoch in range(config.epochs):
        start = time.perf_counter()
        rows = seeds.generator_for(task.seed, "shuffle", epoch).permutation(len(train_samples))
        tally = train_epoch(task, train_samples, rows, epoch, config, optimiser, after_batch, report)
        entry = {
            "epoch": epoch,
            "train_loss": tally.loss / tally.count,
            **tally.means("train"),
            **valid_means(),
            "seconds": time.perf_counter() - start,
            "learning_rate": optimiser.param_groups[0]["lr"],
        }
        history.append(entry)
        silent = silent + 1 if is_silent(entry) else 0
        at_chance = tally.right <= 1.1 * commonest
        if (
            not warned
            and silent >= 3
            and silent * n_batches >= 100
            and (at_chance or silent == config.epochs)
        ):
            warned = True
            warnings.warn(SILENT.format(silent), stacklevel=2)
        if on_epoch is not None:
            on_epoch(entry)
        since_best += 1
        if entry["valid_accuracy"] > best:
            best, best_weights, since_best = entry["valid_accuracy"], _copy_weights(judged.model), 0
        if config.patience and since_best >= config.patience:
            break
    task.model.load_state_dict(judged.model.state_dict() if config.keep == "last" else best_weights)
    return history


def is_silent(entry: Mapping[str, Any]) -> bool:
    """Return whether an epoch had no output spike: every decision of train and valid was forced."""
    return bool(entry["train_forced"] == 1 and entry["valid_forced"] == 1)


SILENT = (
    "no output spike in {} epochs of training: the evidence of no sample reached the threshold, and every "
    "decision is forced at the last step. Lower rule.threshold; in a spiking model hidden neurons may be "
    "silent too: lower model.threshold, or raise model.gain"
)


def _copy_weights(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
