"""How time and memory grow with T, channels, hidden units, classes, rows and data set size, all else equal.

The rule decides every row at one given step, so that sizes can change while the decision does not.
Memory is the peak of a training step (for the data set size: of an epoch of steps) beyond what was
resident before it, each in its own process.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from benchmarks import setup
from benchmarks.harness import Result, Row, Skipped, rows_of, time_in_turn
from rc_vs_snn.augmentations.none import NoAugmentation
from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.encoders.latency import Latency
from rc_vs_snn.training.objectives import RankCoding
from rc_vs_snn.training.task import Task

DECISION_STEP = 4


@dataclass(frozen=True)
class DecideAt:
    """Every row decides at one step."""

    step: int

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return a threshold that all meet at the step and none before."""
        return -1e9 if step >= self.step else 1e9


@dataclass(frozen=True)
class Size:
    """Sizes of one training step on random spike times, or of an epoch over random images.

    Attributes:
        family: "rc-lstm" or "rank-snn".
        n_steps, channels, hidden, classes, rows: of a training step.
        samples: images of the epoch, encoded batch by batch as in training; 0 for a single step.
    """

    family: str
    n_steps: int = 10
    channels: int = 784
    hidden: int = 256
    classes: int = 10
    rows: int = 256
    samples: int = 0


def workload(size: Size, scale: setup.Scale) -> Callable[[], None]:
    return training_epoch(size, scale) if size.samples else training_step(size, scale)


def training_epoch(size: Size, scale: setup.Scale) -> Callable[[], None]:
    draws = np.random.default_rng(0)
    images = draws.integers(0, 256, (size.samples, 28, 28), dtype=np.uint8)
    labels = draws.integers(0, size.classes, size.samples)
    samples = Samples(images, labels, np.arange(size.samples), "images", size.classes)
    torch.manual_seed(0)
    sized = replace(scale, hidden_lstm=size.hidden, hidden_snn=size.hidden)
    model: Any = setup.build(size.family, (28, 28), size.classes, sized)
    objective, rule = RankCoding(), DecideAt(DECISION_STEP)
    task = Task(
        model, NoAugmentation(), Latency(size.n_steps), objective, rule, 0, torch.device("cpu")
    )  # fmt: skip

    def run() -> None:
        for encoded, targets in task.batches(samples, np.arange(size.samples), size.rows, "train"):
            model.zero_grad(set_to_none=True)
            objective(model, encoded, targets, rule)[0].backward()

    return run


def training_step(size: Size, scale: setup.Scale) -> Callable[[], None]:
    generator = torch.Generator().manual_seed(0)
    # As many spikes in the steps up to the decision at every T: what T alone costs is the question.
    steps = torch.randint(0, 10, (size.rows, size.channels), generator=generator)
    steps[steps > DECISION_STEP] = size.n_steps
    encoded = SpikeTimes(steps, size.n_steps, (size.channels,))
    labels = torch.randint(0, size.classes, (size.rows,), generator=generator)
    torch.manual_seed(0)
    sized = replace(scale, hidden_lstm=size.hidden, hidden_snn=size.hidden)
    model: Any = setup.build(size.family, encoded.layout, size.classes, sized)
    objective, rule = RankCoding(), DecideAt(DECISION_STEP)

    def run() -> None:
        model.zero_grad(set_to_none=True)
        objective(model, encoded, labels, rule)[0].backward()

    return run


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for family in ("rc-lstm", "rank-snn"):
        base = Size(family, hidden=scale.hidden_lstm, rows=scale.batch, channels=784)
        grown = {
            "T x10": replace(base, n_steps=100),
            "channels x4": replace(base, channels=4 * base.channels),
            "hidden x4": replace(base, hidden=4 * base.hidden),
            "classes x10": replace(base, classes=10 * base.classes),
            "rows x4": replace(base, rows=4 * base.rows),
        }
        pairs = {name: (base, size) for name, size in grown.items()}
        epoch = replace(base, samples=4 * base.rows)
        pairs["samples x4"] = (epoch, replace(epoch, samples=4 * epoch.samples))
        # The base is timed once; the epoch has a base of its own.
        different = {size: workload(size, scale) for pair in pairs.values() for size in pair}
        times = time_in_turn({str(size): call for size, call in different.items()}, scale.rounds)
        for name, (small, large) in pairs.items():
            timed = {"base": times[str(small)], "grown": times[str(large)]}
            rows += rows_of(f"time, {family}, {name}", timed, "ms")
        try:
            rows += _memory(family, pairs, scale.rows_for_memory // base.rows)
        except OSError as error:
            skipped.append(Skipped(f"memory, {family}", "grown", str(error)))
    return Result(
        f"growth of a training step that decides at step {DECISION_STEP}; base T = 10, 784 channels, "
        f"{scale.hidden_lstm} hidden, 10 classes, {scale.batch} rows (memory: {scale.rows_for_memory} rows); "
        "samples: an epoch over four batches, and over sixteen",
        "grown / base",
        "base",
        rows,
        skipped,
    )


def _memory(family: str, pairs: dict[str, tuple[Size, Size]], factor: int) -> list[Row]:
    """Measure each pair of sizes with ``factor`` times the rows, which stand out of the noise."""
    found: dict[Size, np.ndarray] = {}
    rows: list[Row] = []
    for name, pair in pairs.items():
        for size in pair:
            if size not in found:
                larger = replace(size, rows=size.rows * factor, samples=size.samples * factor)
                found[size] = np.array([_measured(larger)])
        measured = {"base": found[pair[0]], "grown": found[pair[1]]}
        rows += rows_of(f"memory, {family}, {name}", measured, "MB")
    return rows


def _measured(size: Size) -> float:
    call = [sys.executable, "-m", "benchmarks.growth", json.dumps(vars(size))]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1])
    return float(done.stdout)


def peak_megabytes(size: Size) -> float:
    """Return the peak of a workload beyond what was resident before (Linux: /proc)."""
    torch.set_num_threads(1)
    small = replace(size, rows=8, samples=min(size.samples, 16))
    workload(small, setup.QUICK)()  # compile and load everything first
    run_once = workload(size, setup.QUICK)
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")  # forget the peak so far
    before = _status("VmRSS")
    run_once()
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field + ":"))


if __name__ == "__main__":
    print(peak_megabytes(Size(**json.loads(sys.argv[1]))))
