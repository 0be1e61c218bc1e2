"""Evidence as tensor operations, for graphs that run where there is no NumPy of ours.

What an evidence keeps between steps starts as zeros here: that is what each takes for "nothing yet". The
numbers are those of ``decision.evidence`` but for rounding (tests/decision/test_traced.py).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rc_vs_snn.decision.evidence import (
    Consecutive,
    Cumulative,
    Elapsed,
    Entropy,
    Evidence,
    Exclusion,
    Gap,
    Margin,
    Membrane,
    Probability,
    Sigmoid,
)

Kept = tuple[Tensor, ...]


@dataclass(frozen=True)
class Traced:
    """An evidence whose step is made of tensor operations.

    Attributes:
        widths: how wide each tensor is that it keeps, ``(B, width)`` each, zeros at first; by name.
        step: ``(readout (B, K), kept) -> (evidence (B, K), kept)``.
    """

    widths: Mapping[str, int]
    step: Callable[[Tensor, Kept], tuple[Tensor, Kept]]


def traced(evidence: Evidence, n_classes: int) -> Traced | None:
    """Return a built-in evidence as tensor operations, or None: what a plug-in computes is not known.

    Args:
        evidence: what a rule reads.
        n_classes: number of classes K.
    """
    if isinstance(evidence, Cumulative | Consecutive):
        inner = traced(evidence.inner, n_classes)
        return None if inner is None else _over(evidence, inner, n_classes)
    if isinstance(evidence, Elapsed):
        return Traced({"count": 1}, _elapsed)
    plain = _PLAIN.get(type(evidence))
    return None if plain is None else Traced({}, lambda readout, kept: (plain(evidence, readout), ()))


def _over(evidence: Cumulative | Consecutive, inner: Traced, n_classes: int) -> Traced:
    below = {f"of.{name}": width for name, width in inner.widths.items()}
    if isinstance(evidence, Consecutive):
        top = min(evidence.top, n_classes)
        return Traced(
            {"best": top, "count": 1, **below}, lambda *given: _consecutive(evidence, inner, *given)
        )
    return Traced(
        {"total": n_classes, "count": 1, **below}, lambda *given: _cumulative(evidence, inner, *given)
    )


def _cumulative(evidence: Cumulative, inner: Traced, readout: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
    total, count, *below = kept
    total = total + (readout if evidence.summed == "readout" else readout.softmax(-1))
    count = count + 1
    found, after = inner.step(total if evidence.pool == "sum" else total / count, tuple(below))
    return found, (total, count, *after)


def _consecutive(evidence: Consecutive, inner: Traced, readout: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
    last, count, *below = kept
    found, after = inner.step(readout, tuple(below))
    values, best = found.topk(last.shape[1], dim=-1)
    same = (best.to(last.dtype) == last).all(-1, keepdim=True)
    stayed = torch.where(same, count, 0) + 1
    count = torch.where(values[:, :1] >= evidence.least, stayed, 0)
    share = (count / evidence.n).clamp(max=1)
    return _of_best(best[:, :1], share, readout), (best.to(last.dtype), count, *after)


def _elapsed(readout: Tensor, kept: Kept) -> tuple[Tensor, Kept]:
    count = kept[0] + 1
    return _of_best(readout.argmax(-1, keepdim=True), count, readout), (count,)


def _of_best(best: Tensor, value: Tensor, readout: Tensor) -> Tensor:
    """Return the value for the best class, and -1, which decides nothing, for the others."""
    classes = torch.arange(readout.shape[1])
    return torch.where(classes == best, value, -1.0)


def _margin(evidence: Any, readout: Tensor) -> Tensor:
    values = readout.softmax(-1) if evidence.of == "probability" else readout
    return values if values.shape[1] == 1 else values - _of_others(values, 1)


def _exclusion(evidence: Any, readout: Tensor) -> Tensor:
    probabilities = readout.softmax(-1)
    if probabilities.shape[1] <= evidence.size:
        return torch.zeros_like(probabilities)
    return -_of_others(probabilities, evidence.size)


def _of_others(values: Tensor, nth: int) -> Tensor:
    """Return, for every class, the ``nth`` largest value of the other classes, ``(B, K)``."""
    largest = values.topk(nth + 1, dim=-1).values
    at, below = largest[:, nth - 1 : nth], largest[:, nth:]
    return torch.where(values >= at, below, at)


def _entropy(evidence: Any, readout: Tensor) -> Tensor:
    n_classes = readout.shape[1]
    if n_classes == 1:
        return torch.ones_like(readout)
    top = readout.amax(-1, keepdim=True)
    below = (readout - top).double()
    share = below.exp()
    total = share.sum(-1, keepdim=True)
    entropy = total.log() - (share * below).sum(-1, keepdim=True) / total
    certainty = (1 - entropy / math.log(n_classes)).clamp(0, 1).to(readout.dtype)
    return torch.where(readout == top, certainty, certainty - 1 - torch.finfo(readout.dtype).eps)


_PLAIN: dict[type, Callable[[Any, Tensor], Tensor]] = {
    Probability: lambda evidence, readout: readout.softmax(-1),
    Sigmoid: lambda evidence, readout: readout.sigmoid(),
    Membrane: lambda evidence, readout: readout,
    Margin: _margin,
    Gap: _margin,
    Entropy: _entropy,
    Exclusion: _exclusion,
}
