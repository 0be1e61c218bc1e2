"""How time and memory grow with T, channels, hidden units, classes and rows, all else equal.

The rule decides every row at one given step, so that sizes can change while the decision does not.
Memory is the peak of a training step beyond what was resident before it, each in its own process.
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
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.objectives import RankCoding

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
    """Sizes of one training step on random spike times."""

    family: str
    n_steps: int = 10
    channels: int = 784
    hidden: int = 256
    classes: int = 10
    rows: int = 256


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
        times = time_in_turn(
            {"base": training_step(base, scale)}
            | {name: training_step(size, scale) for name, size in grown.items()},
            scale.rounds,
        )
        for name in grown:
            rows += rows_of(f"time, {family}, {name}", {"base": times["base"], "grown": times[name]}, "ms")
        try:
            rows += _memory(replace(base, rows=scale.rows_for_memory))
        except OSError as error:
            skipped.append(Skipped(f"memory, {family}", "grown", str(error)))
    return Result(
        f"growth of a training step that decides at step {DECISION_STEP}; base T = 10, 784 channels, "
        f"{scale.hidden_lstm} hidden, 10 classes, {scale.batch} rows (memory: {scale.rows_for_memory} rows)",
        "grown / base",
        "base",
        rows,
        skipped,
    )


def _memory(base: Size) -> list[Row]:
    found = {}
    for name, size in (
        ("base", base), ("T x10", replace(base, n_steps=100)), ("rows x4", replace(base, rows=4 * base.rows))
    ):  # fmt: skip
        call = [sys.executable, "-m", "benchmarks.growth", json.dumps(vars(size))]
        done = subprocess.run(call, capture_output=True, text=True)
        if done.returncode:
            raise OSError(done.stderr.strip().splitlines()[-1])
        found[name] = np.array([float(done.stdout)])
    return [
        row
        for name in ("T x10", "rows x4")
        for row in rows_of(
            f"memory, {base.family}, {name}", {"base": found["base"], "grown": found[name]}, "MB"
        )
    ]


def peak_megabytes(size: Size) -> float:
    """Return the peak of a training step beyond what was resident before (Linux: /proc)."""
    torch.set_num_threads(1)
    training_step(replace(size, rows=8), setup.QUICK)()  # compile and load everything first
    run_once = training_step(size, setup.QUICK)
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
