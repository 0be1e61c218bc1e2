"""Class probabilities of readouts: one arithmetic for traces, runs and streams. Imports no torch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from rc_vs_snn.kernels.compiling import compiled


@compiled(error_model="numpy")
def fill_softmax(logits, probabilities):  # type: ignore[no-untyped-def]
    """Write the softmax of ``logits`` to ``probabilities``, both ``(K,)``."""
    top = logits.max()
    total = np.float32(0)
    for k in range(len(logits)):
        probabilities[k] = np.exp(logits[k] - top)
        total += probabilities[k]
    for k in range(len(logits)):
        probabilities[k] /= total


@compiled(error_model="numpy")
def softmax_rows(readouts, probabilities):  # type: ignore[no-untyped-def]
    """Write the softmax of each row of ``readouts`` to ``probabilities``, both ``(rows, K)``."""
    for row in range(len(readouts)):
        fill_softmax(readouts[row], probabilities[row])


@compiled(error_model="numpy")
def sigmoid_rows(readouts, shares):  # type: ignore[no-untyped-def]
    """Write the logistic function of each of ``readouts`` to ``shares``, both ``(rows, K)``."""
    one = np.float32(1)
    for row in range(len(readouts)):
        for k in range(readouts.shape[1]):
            shares[row, k] = one / (one + np.exp(-readouts[row, k]))


@compiled(error_model="numpy")
def certainty_rows(readouts, certainty):  # type: ignore[no-untyped-def]
    """Write 1 - H / ln K of each row's softmax to ``certainty (rows, 1)``; see ``certainty_of``."""
    n_classes = readouts.shape[1]
    for row in range(len(readouts)):
        top = readouts[row].max()
        total, weighted = 0.0, 0.0
        for k in range(n_classes):
            below = np.float64(readouts[row, k] - top)
            share = np.exp(below)
            total += share
            weighted += share * below if share > 0 else 0.0
        # H = ln(total) - weighted / total, the entropy of share / total
        entropy = np.log(total) - weighted / total
        known = entropy == entropy and n_classes > 1
        certainty[row, 0] = min(max(1 - entropy / np.log(n_classes), 0.0), 1.0) if known else 1 + 0 * entropy


def softmax_of(readouts: np.ndarray) -> np.ndarray:
    """Return the softmax over the last axis, ``(..., K)``."""
    return _rowwise(softmax_rows, readouts, readouts.shape[-1])


def sigmoid_of(readouts: np.ndarray) -> np.ndarray:
    """Return the logistic function of each readout, ``(..., K)``."""
    return _rowwise(sigmoid_rows, readouts, readouts.shape[-1])


def certainty_of(readouts: np.ndarray) -> np.ndarray:
    """Return 1 - H / ln K of the softmax over the last axis, ``(..., 1)`` in [0, 1]; 1 of a single class."""
    return _rowwise(certainty_rows, readouts, 1)


def _rowwise(fill: Callable[..., Any], readouts: np.ndarray, width: int) -> np.ndarray:
    rows = np.ascontiguousarray(readouts).reshape(-1, readouts.shape[-1])
    out = np.empty((len(rows), width), rows.dtype)
    fill(rows, out)
    return out.reshape(*readouts.shape[:-1], width)
