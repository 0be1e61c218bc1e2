"""Findings about two models as sentences: direction in words, interval, what it rests on, nothing hidden."""

from collections.abc import Mapping, Sequence

import numpy as np

from rc_vs_snn.analysis.intervals import percent_decimals
from rc_vs_snn.analysis.statistics.estimates import Estimate
from rc_vs_snn.analysis.statistics.pairs import Reading

HOLDS_ZERO = ", an interval that holds zero"


def sooner(
    names: tuple[str, str], by: Estimate, accuracy: float, n_samples: int, unit: str, step_ms: float | None
) -> str:
    """Return "at equal accuracy (98.9 %) A decides 0.41 ± 0.05 steps sooner than B".

    Args:
        names: of the first model and the second.
        by: how much sooner the first decides; below 0 it is later.
        accuracy: where that is.
        n_samples: test samples, for the digits of percentages.
        unit: "steps" or "ms".
        step_ms: to say it in ms too.
    """
    size, direction = (by, "sooner") if by.value >= 0 else (by.scaled(-1), "later")
    amount = f"{size.spell(2 if unit == 'steps' else 1)} {unit}"
    if step_ms is not None:
        amount += f" [{size.scaled(step_ms).spell(1)} ms]"
    return (
        f"at equal accuracy ({_percent(accuracy, n_samples)}) {names[0]} decides {amount} {direction} than "
        f"{names[1]}{HOLDS_ZERO if by.holds_zero else ''}"
    )


def better(names: tuple[str, str], by: Estimate, time: float, n_samples: int, unit: str) -> str:
    """Return "at equal mean decision step (0.34) A is better than B by 2.1 ± 0.3 points"; see `sooner`."""
    size, direction = (by, "better") if by.value >= 0 else (by.scaled(-1), "worse")
    when = f"mean decision step ({time:.2f})" if unit == "steps" else f"mean decision time ({time:.1f} ms)"
    points = size.scaled(100).spell(percent_decimals(n_samples))
    return (
        f"at equal {when} {names[0]} is {direction} than {names[1]} by {points} points"
        f"{HOLDS_ZERO if by.holds_zero else ''}"
    )


def sentence(clauses: Sequence[str], bases: Sequence[str]) -> str:
    """Return clauses as one sentence, with what their intervals rest on."""
    text = "; ".join(clauses) + (f" ({'; '.join(bases)})" if bases else "")
    return text[:1].upper() + text[1:] + "."


def apart_in_accuracy(names: tuple[str, str], readings: Mapping[int, Reading], n_samples: int) -> str | None:
    """Return why times cannot be compared at equal accuracy, or None where they can."""
    why = _outside(names, {seed: (each.level, each.spans) for seed, each in readings.items()})
    if why is None:
        return None
    name, at, end, low, seed = why
    level, ends = _percent(at, n_samples), _percent(end, n_samples)
    told = f"starts above {level}, at {ends}" if low else f"does not reach {level}, at most {ends}"
    return f"at equal accuracy they cannot be compared: the sweep of {name} {told} (seed {seed})"


def apart_in_time(names: tuple[str, str], readings: Mapping[int, Reading], unit: str) -> str | None:
    """Return why accuracies cannot be compared at equal time, or None where they can."""
    why = _outside(names, {seed: (each.time, each.reach) for seed, each in readings.items()})
    if why is None:
        return None
    name, at, end, low, seed = why
    of = "mean step" if unit == "steps" else "mean time in ms"
    told = f"starts only at {of} {end:.2f}, after" if low else f"ends at {of} {end:.2f}, before"
    return (
        f"at equal decision time they cannot be compared: the sweep of {name} {told} {at:.2f} (seed {seed})"
    )


def _outside(
    names: tuple[str, str], wanted: Mapping[int, tuple[np.ndarray, np.ndarray]]
) -> tuple[str, float, float, bool, int] | None:
    """Return the first sweep that does not hold what is wanted of it, and by which end it misses that."""
    for seed, (at, ends) in wanted.items():
        for name, (low, high) in zip(names, ends[:, :, 0].tolist(), strict=True):
            if not low <= at[0] <= high:
                below = bool(at[0] < low)
                return name, float(at[0]), low if below else high, below, seed
    return None


def _percent(share: float, n_samples: int) -> str:
    return f"{share * 100:.{percent_decimals(n_samples)}f} %"
