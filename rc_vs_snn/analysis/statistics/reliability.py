"""Calibration at the decision: is a decision made at 90 % confidence right in 90 % of the cases?"""

import numpy as np
from scipy.special import logsumexp, ndtri  # type: ignore[import-untyped]

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.intervals import CONFIDENCE
from rc_vs_snn.checks import as_array, check_whole
from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.errors import InputError

BINS = 15
_PROBABILITIES = ("probability", "sigmoid")


def confidence_at(trace: Trace, decision: Decision, evidence: str) -> np.ndarray:
    """Return the probability that the model gives to the decided class at the decision step, ``(N,)``.

    - evidence "probability": the evidence itself, a softmax;
    - "sigmoid": the class's own sigmoid, which need not sum to 1 over classes;
    - "membrane": the softmax of all membrane potentials at that step, as in training's cross-entropy;
    - any other: the softmax of the readout at that step, of which the evidence was made.

    Args:
        trace: N samples.
        decision: about the same samples in the same order.
        evidence: what the trace's evidence is, by name.

    Raises:
        InputError: another evidence, and no readouts to make a probability of.
    """
    if not has_confidence(trace, evidence):
        raise InputError(
            f"evidence '{evidence}' is no probability, and the trace holds no readouts to make one of; judge "
            "the run again from its weights"
        )
    rows = np.arange(len(trace))
    if evidence in _PROBABILITIES:
        return trace.evidence[rows, decision.step, decision.label].astype(np.float64)
    held = trace.evidence if evidence == "membrane" or trace.readouts is None else trace.readouts
    scores = held[rows, decision.step].astype(np.float64)  # (N, K)
    return np.exp(scores[rows, decision.label] - logsumexp(scores, axis=1))


def has_confidence(trace: Trace, evidence: str) -> bool:
    """Return whether a trace tells a probability of the decided class, see `confidence_at`."""
    return evidence in (*_PROBABILITIES, "membrane") or trace.readouts is not None


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Table:
    """Return the reliability table: a row per non-empty bin of confidence.

    The bins are equally wide; a confidence on an edge counts to the bin below it, 0 to the first.

    Args:
        confidence: ``(N,)``, in [0, 1].
        right: whether the decision is right, ``(N,)``.
        bins: how many cut [0, 1].

    Returns:
        ``low`` and ``high`` of the bin, ``n`` samples in it, their mean ``confidence`` and ``accuracy``, and
        the 95 % Wilson interval of the latter, ``accuracy_low`` and ``accuracy_high``.

    Raises:
        InputError: no sample, unequal lengths, or a confidence outside [0, 1].

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, arXiv 1706.04599.
    """
    confidence, right = as_array(confidence, "confidence"), as_array(right, "right")
    check_whole(bins, "bins", 1)
    if confidence.ndim != 1 or confidence.shape != right.shape or not len(confidence):
        raise InputError(
            f"calibration needs a confidence and a right or wrong per sample, got "
            f"{confidence.shape} and {right.shape}"
        )
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise InputError(
            f"confidences must lie in [0, 1], got {confidence.min():g} to {confidence.max():g}; "
            "a probability is needed"
        )
    edges = np.linspace(0, 1, bins + 1)
    home = np.searchsorted(edges[1:-1], confidence)  # (N,)
    n = np.bincount(home, minlength=bins)
    kept = n > 0
    n_right = np.bincount(home, weights=right, minlength=bins)[kept]
    low, high = wilson(n_right, n[kept])
    return Table(
        {
            "low": edges[:-1][kept], "high": edges[1:][kept], "n": n[kept],
            "confidence": np.bincount(home, weights=confidence, minlength=bins)[kept] / n[kept],
            "accuracy": n_right / n[kept], "accuracy_low": low, "accuracy_high": high,
        }
    )  # fmt: skip


def expected_calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Return ``ECE = sum over bins of n_b / N |accuracy_b - confidence_b|``, in [0, 1]; see `reliability`."""
    table = reliability(confidence, right, bins)
    gap = np.abs(table["accuracy"] - table["confidence"])
    return float((table["n"] * gap).sum() / table["n"].sum())


def wilson(n_right: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the 95 % Wilson interval of shares ``n_right / n``; n must be above 0.

    With z the normal quantile and p the share: ``(p + z^2/2n ± z sqrt(p (1-p)/n + z^2/4n^2)) / (1 + z^2/n)``.

    Source: Wilson, Journal of the American Statistical Association 22, 1927.
    """
    z = ndtri((1 + CONFIDENCE) / 2)
    share = np.asarray(n_right) / n
    middle, scale = share + z**2 / (2 * n), 1 + z**2 / n
    spread = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    return np.clip((middle - spread) / scale, 0, 1), np.clip((middle + spread) / scale, 0, 1)
