"""Efficiency against the limit: the steps alone, at the rows still undecided, over time to decision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks import setup
from benchmarks.harness import Result, Row, race
from rc_vs_snn.decision import run_to_decision
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.rules import FirstSpike

LIMIT = "the steps alone"
MEAN_STEPS = (0.9, 3.0)


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    for family in ("rc-lstm", "rank-snn"):
        found = setup.trained(family, scale.n_steps, scale)
        encoded, _ = setup.test_batch(scale, scale.n_steps, scale.batch)
        rules = [found.rule, *(setup.threshold_for(found.model, encoded, at) for at in MEAN_STEPS)]
        for rule in rules:
            rows += _at(family, found.model, encoded, rule, scale)
    return Result(
        f"time of the steps alone, at the rows still undecided, against inference to the decision; batch "
        f"{scale.batch}, T = {scale.n_steps}, {scale.dataset} test",
        "time of the steps alone / time to the decision (1: no cost but the steps)",
        "ours",
        rows,
    )


@torch.inference_mode()
def _at(family: str, model: Any, encoded: SpikeTimes, rule: FirstSpike, scale: setup.Scale) -> list[Row]:
    steps = run_to_decision(model, encoded, rule).step
    # What each step gets: rows, their code and their state, all ready before the clock starts.
    ready: list[tuple[int, SpikeTimes, Any]] = []
    part, left = encoded, steps
    state = model.initial_state(len(encoded), encoded.device)
    for step in range(int(steps.max()) + 1):
        ready.append((step, part, state))
        _, state = model.step(part.at(step), state)
        stay = (left > step).nonzero().squeeze(1)
        part, left = part.select(stay), left[stay]
        state = tuple(each[stay] for each in state)

    def alone() -> None:
        for step, rows, before in ready:
            model.step(rows.at(step), before)

    contenders: dict[str, Callable[[], Any]] = {
        "ours": lambda: run_to_decision(model, encoded, rule),
        LIMIT: alone,
    }
    contenders = {name: torch.inference_mode()(call) for name, call in contenders.items()}
    mean, longest = np.mean(steps.numpy()), int(steps.max())
    return race(f"{family}, mean step {mean:.2f}, last {longest}", contenders, rounds=max(15, scale.rounds))
