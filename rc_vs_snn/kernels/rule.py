"""The first-spike rule at one step, once for each language: whole arrays, compiled loops, tensors.

    spikes = classes whose evidence is at or above the threshold
    best   = largest evidence, than which NaN counts as larger
    label  = lowest class whose evidence that is

The three agree on ties, silence, NaN and thresholds on the edge (tests/kernels/test_rule.py). A threshold is
compared in the type of the evidence.

Source: Jeffares et al., ICLR 2022, arXiv 2110.02865 (threshold crossing as the output spike).
"""

from typing import TYPE_CHECKING

import numpy as np

from rc_vs_snn.kernels.compiling import compiled

if TYPE_CHECKING:
    from torch import Tensor


def n_spikes(evidence: "np.ndarray | Tensor", threshold: "np.ndarray | Tensor | float"):  # type: ignore[no-untyped-def]
    """Return how many classes spike, ``(...)``: one text for arrays and tensors.

    Args:
        evidence: ``(..., K)``.
        threshold: one for all, or ``(...)`` with a last axis of 1, in the type of the evidence.
    """
    return (evidence >= threshold).sum(-1)


def verdict_of_arrays(evidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return label and best of ``(..., K)`` arrays, ``(...)`` each."""
    label = evidence.argmax(-1)  # the first of several, and NaN before all
    return label, np.take_along_axis(evidence, label[..., None], -1)[..., 0]


def verdict_of_tensors(evidence: "Tensor") -> "tuple[Tensor, Tensor]":
    """Return label and best of ``(..., K)`` tensors, ``(...)`` each."""
    best, label = evidence.max(-1)  # likewise, as torch documents
    return label, best


@compiled(error_model="numpy")
def any_spike(evidence, threshold):  # type: ignore[no-untyped-def]
    """Return whether any of ``(K,)`` classes spikes."""
    reached = False
    for k in range(len(evidence)):
        reached |= evidence[k] >= threshold
    return reached


@compiled(error_model="numpy")
def judge(evidence, threshold):  # type: ignore[no-untyped-def]
    """Return label, number of spikes and best of one row ``(K,)``."""
    spikes, label = 0, 0
    for k in range(len(evidence)):
        spikes += evidence[k] >= threshold
        known = evidence[label] == evidence[label]
        if known and (evidence[k] > evidence[label] or evidence[k] != evidence[k]):
            label = k
    return label, spikes, evidence[label]
