"""What every evidence and every rule must do."""

import math
from typing import Any

import numpy as np

from rc_vs_snn.decision.evidence import Evidence, State, kept
from rc_vs_snn.decision.rules import Rule, decide, thresholds_of
from rc_vs_snn.errors import InputError
from rc_vs_snn.testing.promise import require


def check_evidence(evidence: Evidence, *, n_classes: int = 4) -> None:
    """Check that an evidence judges stored traces, early exits and streams alike.

    Its limits are two rising numbers; a step returns evidence in the readout's shape and type, and changes
    nothing that it was given; a row gets what it gets alone, also when others leave; the same readouts give
    the same evidence; NaN stays NaN, so that a model that diverged is noticed.

    Args:
        evidence: the part.
        n_classes: number of classes K.

    Raises:
        AssertionError: the first broken promise.
    """
    low, high = _limits(evidence)
    generator = np.random.default_rng(0)
    for kind in (np.float32, np.float64):
        readouts = generator.normal(scale=3, size=(6, 5, n_classes)).astype(kind)  # (T, B, K)
        whole = _run(evidence, readouts, kind)
        again = _run(evidence, readouts, kind)
        require(
            np.array_equal(whole, again),
            "the same readouts gave other evidence; keep nothing outside the state",
        )
        for row in range(readouts.shape[1]):
            alone = _run(evidence, readouts[:, row : row + 1], kind)
            require(
                np.array_equal(alone[:, 0], whole[:, row]),
                "a row's evidence depends on the rows beside it; compute each row on its own",
            )
        _check_leaving(evidence, readouts, whole)
        poisoned = readouts.copy()
        poisoned[2, 1, 0] = np.nan
        found, _ = _first(evidence, poisoned[2])
        require(
            bool(np.isnan(found[1]).any() and not np.isnan(found[0]).any()),
            "NaN in a readout must stay NaN in its row's evidence alone, or nobody notices a diverged model",
        )
    require(low < high, f"limits must rise, got {(low, high)}")


def _limits(evidence: Any) -> tuple[float, float]:
    limits = getattr(evidence, "limits", None)
    pair = isinstance(limits, tuple) and len(limits) == 2 and not any(map(math.isnan, limits))
    require(pair, f"an evidence has limits (low, high) of its thresholds, such as (0.0, 1.0); got {limits!r}")
    return limits  # type: ignore[return-value]


def _first(evidence: Evidence, readout: np.ndarray) -> tuple[np.ndarray, State]:
    return evidence.step(readout, None)


def _run(evidence: Evidence, readouts: np.ndarray, kind: type) -> np.ndarray:
    state: State = None
    found = []
    for readout in readouts:
        given = readout.copy()
        value, state = evidence.step(given, state)
        require(
            np.array_equal(given, readout), "step changed the readouts that it was given; return new arrays"
        )
        shaped = isinstance(value, np.ndarray) and value.shape == readout.shape and value.dtype == kind
        told = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        require(
            shaped, f"step returns evidence like the readout, {np.dtype(kind)} {readout.shape}, got {told}"
        )
        found.append(value)
    return np.stack(found)


def _check_leaving(evidence: Evidence, readouts: np.ndarray, whole: np.ndarray) -> None:
    rows, state = np.arange(readouts.shape[1]), None
    for step, readout in enumerate(readouts):
        value, state = evidence.step(np.ascontiguousarray(readout[rows]), state)
        require(
            np.array_equal(value, whole[step, rows]),
            "evidence changed when rows left; a state is None, arrays whose rows come first, or a tuple",
        )
        if step in (1, 3):
            stay = np.arange(len(rows))[1:]
            rows, state = rows[stay], kept(state, stay)


def check_rule(rule: Rule, *, n_steps: int = 6) -> None:
    """Check that a rule is a threshold over time, the same whenever it is asked, and decides.

    Args:
        rule: the part.
        n_steps: number of time steps T that it is made for.

    Raises:
        AssertionError: the first broken promise.
    """
    try:
        thresholds = thresholds_of(rule, n_steps)
    except InputError as error:
        raise AssertionError(str(error)) from error
    backwards = [rule.threshold_at(step, n_steps) for step in reversed(range(n_steps))][::-1]
    require(
        np.array_equal(thresholds, np.array(backwards, np.float64)),
        "threshold_at gave other thresholds when asked in another order; compute it from step and n_steps",
    )
    reads = getattr(rule, "reads", None)
    if reads is not None:
        check_evidence(reads)
    finite = thresholds[np.isfinite(thresholds)]
    above = np.full((1, n_steps, 3), np.nextafter(finite.max(), math.inf))
    decision = decide(above, rule)
    first = int(np.argmax(np.isfinite(thresholds)))
    require(
        int(decision.step[0]) == first,
        "evidence above every threshold must decide at the first step that can",
    )
