"""Whole batches to their decisions in compiled loops, for the fully connected nets of both families.

Step by step through torch, a handful of rows that stay undecided cost little arithmetic and much
dispatch. Here a run is one call, and in training one autograd node whose weight gradients join those of
``deferred``. Its readouts are to the bit those of the model's own ``step`` in inference.
"""

import itertools
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.leaky_run import LeakyRun
from rc_vs_snn.models.lstm_run import LSTMRun
from rc_vs_snn.models.rank_snn import RankSNN
from rc_vs_snn.models.rc_lstm import LSTMCell
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.models.runs import Pairs

# Rows that run together: enough for a product to use the caches, few enough for them to hold what is kept.
ROWS = 512


class Run(Protocol):
    """The compiled run of one kind of model."""

    def __init__(self, model: Model) -> None: ...

    @staticmethod
    def n_inputs(model: Model) -> int:
        """Return the number of channels the model reads."""
        ...

    def decide(self, encoded: SpikeTimes, thresholds: np.ndarray, *, keep: bool) -> Pairs:
        """Advance every row to its decision.

        Args:
            encoded: a batch.
            thresholds: the rule's threshold at every step, ``(T,)`` float32.
            keep: whether pairs are kept for ``differentiable``.
        """
        ...

    def differentiable(self, pairs: Pairs) -> Tensor:
        """Return the readouts of all pairs, ``(pairs, K)``, with gradient; inside ``deferred_gradients``."""
        ...


def run_of(model: Model, encoded: Encoded) -> Run | None:
    """Return the compiled run of a model on a code, or None where there is none.

    There is one for a recurrent network of one LSTM layer and for a rank-snn of one leaky layer, on
    spike times, in float32 on the CPU; while gradients are recorded, only if all its weights take them.
    """
    if not isinstance(encoded, SpikeTimes) or encoded.device.type != "cpu" or not len(encoded):
        return None
    kind = _kind_of(model)
    if kind is None or kind.n_inputs(model) != encoded.n_channels:
        return None  # of another width, the model's own step says what is wrong
    if torch.is_autocast_enabled("cpu") or torch.get_default_dtype() != torch.float32:
        return None
    assert isinstance(model, torch.nn.Module)
    recording = torch.is_grad_enabled()
    for parameter in model.parameters():
        if parameter.dtype != torch.float32 or (recording and not parameter.requires_grad):
            return None
    return kind(model)


def _kind_of(model: Model) -> type[Run] | None:
    # By type and not isinstance: a subclass may compute something else.
    if type(model) is RecurrentClassifier:
        return LSTMRun if len(model.cells) == 1 and type(model.cells[0]) is LSTMCell else None
    if type(model) is RankSNN:
        return LeakyRun if len(model.neurons) == 1 and LeakyRun.knows(model) else None
    return None


def decide(run: Run, encoded: SpikeTimes, thresholds: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return each row's decision step ``(B,)`` and the readout there ``(B, K)``, without gradient."""
    parts = [run.decide(part, thresholds, keep=False) for part in _split(encoded, ROWS)]
    step = np.concatenate([part.decided for part in parts])
    readout = np.concatenate([part.chosen for part in parts])
    return torch.from_numpy(step), torch.from_numpy(readout)


def decide_differentiable(
    run: Run, encoded: SpikeTimes, thresholds: np.ndarray
) -> tuple[Tensor, Tensor, Iterator[tuple[int, Tensor, Tensor]]]:
    """Run to the decisions with gradient, inside ``deferred_gradients``.

    Returns:
        Each row's decision step ``(B,)``, the readout there ``(B, K)``, and ``(step, rows, readouts)`` of
        every step: the rows undecided before it and their readouts ``(rows, K)``.
    """
    parts = [run.decide(part, thresholds, keep=True) for part in _split(encoded, ROWS)]
    readouts = [run.differentiable(part) for part in parts]
    step = torch.from_numpy(np.concatenate([part.decided for part in parts]))
    chosen = [each[torch.from_numpy(part.last)] for each, part in zip(readouts, parts, strict=True)]
    return step, torch.cat(chosen), _by_step(parts, readouts)


def _by_step(parts: list[Pairs], readouts: list[Tensor]) -> Iterator[tuple[int, Tensor, Tensor]]:
    first = np.cumsum([0, *(len(part.decided) for part in parts)])
    for step in range(max(int(part.decided.max()) for part in parts) + 1):
        bounds = [slice(part.bounds[step], part.bounds[step + 1]) for part in parts]
        rows = [base + part.row[at] for base, part, at in zip(first[:-1], parts, bounds, strict=True)]
        yield (
            step,
            torch.from_numpy(np.concatenate(rows)),
            torch.cat([each[at] for each, at in zip(readouts, bounds, strict=True)]),
        )


def _split(encoded: SpikeTimes, rows: int) -> list[SpikeTimes]:
    if len(encoded) <= rows:
        return [encoded]
    edges = [*range(0, len(encoded), rows), len(encoded)]
    return [encoded.select(torch.arange(begin, end)) for begin, end in itertools.pairwise(edges)]
