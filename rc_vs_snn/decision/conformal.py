"""Conformal stopping: a rule whose sets of classes hold the true one as often as promised. No torch."""

import math

import numpy as np

from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.calibration import some_decide
from rc_vs_snn.decision.evidence import Exclusion
from rc_vs_snn.decision.thresholds import Reading
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.probabilities import softmax_of


def conformal(trace: Trace, alpha: float, correction: str = "bonferroni", *, size: int = 1) -> Reading:
    """Return a rule that stops when the set of classes that are still possible holds at most ``size``.

    A class is possible at step t while its probability is above exp(-q_t). For an exchangeable sample the
    true class is in the set at the stopping time with probability at least 1 - alpha, since it is in the sets
    of all steps at once:

    - "bonferroni": q_t is the ceil((1 - alpha / T) (N + 1))-th smallest -ln p of the true class at step t:
      each of T sets may fail with alpha / T.
    - "simultaneous": every other sample says how large -ln p usually gets at each step (its 1 - alpha
      quantile), and the rest by what common factor that must be raised so that all T sets of a sample hold
      its class: that a sample's steps go together is used, so it stops sooner.

    At the last step a forced decision's set may hold more classes.

    Args:
        trace: of the validation split, with readouts (its softmax is used).
        alpha: how often the set may miss the true class, in (0, 1).
        correction: "bonferroni" or "simultaneous".
        size: how many classes the set may hold.

    Raises:
        InputError: an alpha or correction out of range, no readouts, or so few samples that every set would
            hold all classes.

    Source: SpikeCP (Chen et al. 2023) for the stopping set and Bonferroni's correction; Vovk et al. 2005
    for split conformal prediction. The maximum over time is calibrated as for simultaneous bands.
    """
    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie in (0, 1), got {alpha:g}")
    if trace.readouts is None:
        raise InputError("the trace holds no readouts to make probabilities of; judge the run again")
    n_samples, n_steps = trace.readouts.shape[:2]
    probability = softmax_of(trace.readouts).astype(np.float64)
    true = np.take_along_axis(probability, trace.labels[:, None, None], 2)[:, :, 0]  # (N, T)
    if correction == "bonferroni":
        bounds = np.array([_conformal_quantile(-true[:, step], alpha / n_steps) for step in range(n_steps)])
    elif correction == "simultaneous":
        bounds = _simultaneous(-true, alpha)
    else:
        raise InputError(f"correction must be 'bonferroni' or 'simultaneous', got {correction!r}")
    # -p above its bound leaves the set; the class of least probability that stays has exactly the bound
    thresholds = [float(np.nextafter(np.float32(bound), np.float32(1))) for bound in bounds]
    usable = [each if -1 < each <= 0 else math.inf for each in thresholds]
    return Reading(some_decide(usable, f"alpha {alpha:g} from {n_samples} samples"), Exclusion(size))


def _conformal_quantile(scores: np.ndarray, alpha: float) -> float:
    """Return the ceil((1 - alpha) (n + 1))-th smallest score; infinity where there are fewer."""
    rank = math.ceil((1 - alpha) * (len(scores) + 1) - 1e-9)
    return math.inf if rank > len(scores) else float(np.sort(scores)[rank - 1])


def _simultaneous(scores: np.ndarray, alpha: float) -> np.ndarray:
    """Return one bound per step that all hold at once with probability 1 - alpha, ``(T,)``."""
    surprise = -np.log(np.maximum(-scores, np.finfo(np.float64).tiny))  # (N, T)
    usual = np.quantile(surprise[::2], 1 - alpha, axis=0, method="higher").clip(1e-6)
    return -np.exp(-usual * _conformal_quantile((surprise[1::2] / usual).max(1), alpha))
