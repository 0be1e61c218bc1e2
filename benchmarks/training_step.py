"""One training step (forward, loss, backward, AdamW) of an LSTM, against the published way.

The published way runs `torch.nn.LSTM` over all T steps of a one-hot sequence and gathers at the first
crossing. Its sequence lies ready in memory before the clock starts; ours starts from spike times.
"""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import setup
from benchmarks.harness import Result, Row, rows_of, time_in_turn
from rc_vs_snn.decision.batch import run_full, run_to_decision
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.training.objectives import RankCoding

OURS = "ours"
PUBLISHED = "published way (nn.LSTM over all T, gather)"
FULL_PASS = "ours without row dropping"
FRACTIONS = (0.25, 0.5, 1.0)  # of the last step


class PublishedLSTM(nn.Module):
    """`torch.nn.LSTM` and a linear readout with the weights of our model."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        cell = model["cell1"]
        self.lstm = nn.LSTM(cell.input.n_inputs, cell.hidden)
        self.readout = nn.Linear(cell.hidden, model["readout"].n_outputs)
        self.readout.load_state_dict(model["readout"].state_dict())
        weights = {"weight_ih_l0": cell.input.weight, "bias_ih_l0": cell.input.bias}
        weights |= {"weight_hh_l0": cell.recurrent.weight, "bias_hh_l0": torch.zeros(4 * cell.hidden)}
        self.lstm.load_state_dict(weights)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits at every step, ``(T, B, K)``."""
        return self.readout(self.lstm(x)[0])


def gathered_loss(logits: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Return the cross-entropy at the first crossing of ``(T, B, K)`` logits, else at the last step."""
    crossed = (logits.detach().softmax(2) >= threshold).any(2)  # (T, B)
    crossed[-1] = True
    first = crossed.int().argmax(0)  # (B,)
    return functional.cross_entropy(logits[first, torch.arange(len(labels))], labels)


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    for n_steps in scale.all_n_steps:
        rows += _at(n_steps, scale)
    return Result(
        f"training step, LSTM-{scale.hidden_lstm}, batch {scale.batch}, {scale.dataset} latency code",
        "time of a step / ours (above 1: ours is quicker)",
        OURS,
        rows,
        models=[setup.trained("rc-lstm", n_steps, scale).about for n_steps in scale.all_n_steps],
    )


def _at(n_steps: int, scale: setup.Scale) -> list[Row]:
    """Race all operating points of one T together: the published way costs the same at each."""
    found = setup.trained("rc-lstm", n_steps, scale)
    encoded, labels = setup.test_batch(scale, n_steps, scale.batch)
    x = setup.sequence(encoded)
    rules = {"": found.rule, **_operating_points(found.model, encoded)}
    published = PublishedLSTM(found.model)
    full = deepcopy(found.model)

    def published_loss(rule: FirstSpike) -> Tensor:
        return gathered_loss(published(x), labels, rule.threshold)

    contenders = {
        PUBLISHED: stepper(published, lambda: published_loss(found.rule)),
        FULL_PASS: stepper(
            full, lambda: gathered_loss(run_full(full, encoded), labels, found.rule.threshold)
        ),
    }
    cases: dict[str, float] = {}
    for name, rule in rules.items():
        model = deepcopy(found.model)
        loss_of = partial(_ours, model, encoded, labels, rule)
        with torch.no_grad():
            outcome = run_to_decision(model, encoded, rule)
            expected = published_loss(rule)
        torch.testing.assert_close(loss_of().detach(), expected, rtol=1e-4, atol=1e-5)
        mean_step = outcome.step.double().mean().item()
        case = f"T = {n_steps}, mean step {mean_step:.2f}{' (as trained)' if not name else ''}"
        cases[case] = mean_step
        contenders[case] = stepper(model, loss_of)
    times = time_in_turn(contenders, scale.rounds)
    rows = []
    for case in sorted(cases, key=cases.__getitem__):
        rows += rows_of(
            case, {OURS: times[case], PUBLISHED: times[PUBLISHED], FULL_PASS: times[FULL_PASS]}, "ms"
        )
    return rows


def _ours(model: Any, encoded: SpikeTimes, labels: Tensor, rule: FirstSpike) -> Tensor:
    return RankCoding()(model, encoded, labels, rule)[0]


def _operating_points(model: Any, encoded: SpikeTimes) -> dict[str, FirstSpike]:
    last = encoded.n_steps - 1
    wanted = {"0": 0.0, "0.9": 0.9} | {f"{share:g}": share * last for share in FRACTIONS}
    found = {name: setup.threshold_for(model, encoded, mean_step) for name, mean_step in wanted.items()}
    return found | {"0": FirstSpike(1e-6)}


def stepper(model: nn.Module, loss_of: Callable[[], Tensor]) -> Callable[[], None]:
    """Return one training step by a loss."""
    # A learning rate of 0 costs the same and leaves the weights, and so the operating point, in place.
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.0, fused=True)

    def step() -> None:
        model.zero_grad(set_to_none=True)
        loss_of().backward()
        optimiser.step()

    return step
