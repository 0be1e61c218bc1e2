"""Evidence by name, and of whole traces."""

from functools import cache
from typing import Any

import numpy as np

from rc_vs_snn.decision.evidence.protocol import Evidence
from rc_vs_snn.errors import InputError, blamed
from rc_vs_snn.registry import evidences


@cache
def _made(name: str) -> Evidence:
    return evidences.build(name, {})


def named(evidence: str | Evidence) -> Evidence:
    """Return an evidence from its registered name (or ``module:attribute`` path), or as it is."""
    return _made(evidence) if isinstance(evidence, str) else evidence


def read_by(rule: Any, otherwise: str | Evidence) -> Evidence:
    """Return what a rule reads: its own ``reads``, or the model's evidence.

    Args:
        rule: a rule.
        otherwise: the model's evidence.
    """
    own = getattr(rule, "reads", None)
    return named(otherwise if own is None else own)


def evidence_of_trace(
    readouts: np.ndarray, evidence: str | Evidence, lengths: np.ndarray | None = None
) -> np.ndarray:
    """Return the evidence at every step of stored readouts, ``(N, T, K)``.

    Args:
        readouts: ``(N, T, K)``.
        evidence: what is to be made of them.
        lengths: each sample's own number of steps, ``(N,)``; behind it the evidence stands still.

    Raises:
        InputError: the evidence is no array of that shape.
    """
    chosen = named(evidence)
    found = np.empty_like(readouts)
    state: Any = None
    for step in range(readouts.shape[1]):
        found[:, step], state = one_step(chosen, np.ascontiguousarray(readouts[:, step]), state)
    if lengths is None or not len(lengths) or (lengths == readouts.shape[1]).all():
        return found
    reached = np.minimum(np.arange(readouts.shape[1]), lengths[:, None] - 1)  # (N, T)
    return np.take_along_axis(found, reached[:, :, None], 1)


def one_step(evidence: Evidence, readout: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
    """Return ``evidence.step``, of which it is sure that it is evidence of these rows."""
    with blamed(f"evidence {evidence!r}"):
        given: Any = evidence.step(readout, state)
    whole = isinstance(given, tuple) and len(given) == 2
    if not whole or getattr(given[0], "shape", None) != readout.shape:
        told = getattr(given[0], "shape", None) if whole else type(given).__name__
        raise InputError(
            f"evidence {evidence!r} returned {told} for readouts {readout.shape}; step returns the evidence "
            "of that shape, and the state"
        )
    return given
