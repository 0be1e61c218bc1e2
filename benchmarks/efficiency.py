"""Efficiency against the limit: what the steps alone cost at the rows still undecided, over time to decision.

By two measures. The model's own ``step``, called at the rows still undecided with its inputs ready. And a
step's time at the whole batch, times the share of rows undecided, as if few rows cost no more each: of the
compiled loops, as what a run takes longer when all rows decide one step later.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks import setup
from benchmarks.growth import DecideAt
from benchmarks.harness import Result, Row, rows_of, time_in_turn
from rc_vs_snn.decision.batch import run_to_decision
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.models.state import select

LIMIT = "the steps alone"
SHARED = "whole-batch steps, compiled, x share undecided"
MEAN_STEPS = (0.9, 3.0)
FAMILIES = ("rc-lstm", "rank-snn")
Ready = tuple[int, SpikeTimes, Any]


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    for family in FAMILIES:
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
        models=[setup.trained(family, scale.n_steps, scale).about for family in FAMILIES],
    )


@torch.inference_mode()
def _at(family: str, model: Any, encoded: SpikeTimes, rule: FirstSpike, scale: setup.Scale) -> list[Row]:
    steps = run_to_decision(model, encoded, rule).step
    longest = int(steps.max())
    ready = _ready(model, encoded, steps)
    contenders: dict[str, Callable[[], Any]] = {"ours": lambda: run_to_decision(model, encoded, rule)}
    contenders[LIMIT] = lambda: [model.step(part.at(step), state) for step, part, state in ready]
    contenders |= {
        f"until {step}": partial(run_to_decision, model, encoded, DecideAt(step))
        for step in range(longest + 1)
    }
    contenders = {name: torch.inference_mode()(call) for name, call in contenders.items()}
    times = time_in_turn(contenders, max(15, scale.rounds))
    shares = [(steps >= step).double().mean().item() for step in range(longest + 1)]
    until = np.stack([times[f"until {step}"] for step in range(longest + 1)])  # (step, round)
    times[SHARED] = np.array(shares) @ np.diff(until, axis=0, prepend=0)
    case = f"{family}, mean step {steps.double().mean():.2f}, last {longest}"
    return rows_of(case, {name: times[name] for name in ("ours", LIMIT, SHARED)}, "ms")


def _ready(model: Any, encoded: SpikeTimes, until: torch.Tensor) -> list[Ready]:
    """Return what each step gets if row r is needed up to step ``until[r]``: step, code and state."""
    ready: list[Ready] = []
    state = model.initial_state(len(encoded), encoded.device)
    for step in range(int(until.max()) + 1):
        ready.append((step, encoded, state))
        _, state = model.step(encoded.at(step), state)
        stay = (until > step).nonzero().squeeze(1)
        encoded, until = encoded.select(stay), until[stay]
        state = select(state, stay)
    return ready
