"""One trained model under every exit of the field, each set on valid for one accuracy budget."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.curves import oracle_exit
from rc_vs_snn.analysis.intervals import Interval, mean_interval
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.calibration import accuracy_at_end, halfway, soonest, top_k_gap
from rc_vs_snn.decision.conformal import conformal
from rc_vs_snn.decision.evidence import Consecutive, Cumulative, Entropy, Evidence, Gap, Margin, named
from rc_vs_snn.decision.exits import judged
from rc_vs_snn.decision.rules import FallingThreshold, FirstSpike, FixedStep, Reading, Rule
from rc_vs_snn.errors import InputError

# Levels that are tried on valid where a rule has another knob than a threshold.
SHARES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
AT_END = "end of the sequence"
ORACLE = "oracle exit"

Candidates = Callable[[Trace, float], Iterator[Rule]]


@dataclass(frozen=True, eq=False)
class TracedRun:
    """One run as exits are set and read on it.

    Attributes:
        label: the model's name.
        dataset: the corpus's name.
        seed: base seed.
        valid, test: traces with readouts.
    """

    label: str
    dataset: str
    seed: int
    valid: Trace
    test: Trace


def _shifted(reads: Evidence | str, rule: Rule | None = None) -> Candidates:
    """Return the rule on an evidence, shifted until it keeps the budget."""

    def candidates(valid: Trace, least: float) -> Iterator[Rule]:
        evidence = named(reads)
        start = halfway(evidence) if rule is None else Reading(rule, evidence)
        yield soonest(valid, start, evidence, least)

    return candidates


def _each(levels: Callable[[Trace], Iterable[float]], make: Callable[[Trace, Any], Rule]) -> Candidates:
    """Return every rule of a kind that can be made on valid: one for each level of its knob."""

    def candidates(valid: Trace, least: float) -> Iterator[Rule]:
        for level in levels(valid):
            try:
                yield make(valid, level)
            except InputError:
                continue  # too few samples for so small a share

    return candidates


def _steps(valid: Trace) -> Iterable[int]:
    return range(valid.n_steps)


def _shares(valid: Trace) -> Iterable[float]:
    return SHARES


def _stays(top: int) -> Candidates:
    return _each(_steps, lambda valid, more: Reading(FirstSpike(1.0), Consecutive(more + 1, top=top)))


EXITS: dict[str, Candidates] = {
    "fixed step": _each(_steps, lambda valid, step: FixedStep(step)),
    "first spike, probability": _shifted("probability"),
    "falling threshold, probability": _shifted("probability", FallingThreshold(0.99, 0.5)),
    "first spike, membrane": _shifted("membrane"),
    "first spike, sigmoid": _shifted("sigmoid"),
    "margin": _shifted(Margin()),
    "entropy": _shifted(Entropy()),
    "summed readouts, probability (SEENN)": _shifted(Cumulative("sum", "probability")),
    "summed readouts, entropy (DT-SNN)": _shifted(Cumulative("sum", "entropy")),
    "mean readout, probability": _shifted(Cumulative("mean", "probability")),
    "mean readout, entropy": _shifted(Cumulative("mean", "entropy")),
    "same answer n times": _stays(1),
    "same two best n times": _stays(2),
    "top-k gap per step, summed": _each(
        _shares, lambda valid, share: top_k_gap(valid, Cumulative("sum", "gap"), share)
    ),
    "top-k gap per step": _each(_shares, lambda valid, share: top_k_gap(valid, Gap(), share)),
    "conformal, Bonferroni": _each(_shares, lambda valid, share: conformal(valid, share)),
    "conformal, simultaneous": _each(_shares, lambda valid, share: conformal(valid, share, "simultaneous")),
}
"""Every exit by name: the rules it may become, of which valid chooses."""


def chosen_exit(candidates: Candidates, valid: Trace, loss: float) -> Rule | None:
    """Return the rule that decides soonest on valid among those within the budget; None if none is.

    Args:
        candidates: what an exit may become.
        valid: a trace of the validation split.
        loss: share of samples that may be lost against reading each at its own last step, in [0, 1).
    """
    least = accuracy_at_end(valid) - loss
    best: tuple[float, Rule] | None = None
    try:
        for rule in candidates(valid, least):
            decision = judged(valid, rule)
            if float((decision.label == valid.labels).mean()) < least - 1e-12:
                continue
            mean_step = float(decision.step.mean())
            if best is None or mean_step < best[0]:
                best = mean_step, rule
    except InputError:  # no shift keeps it
        return None
    return None if best is None else best[1]


def exits_table(runs: Sequence[TracedRun], loss: float) -> Table:
    """Return what every exit comes to on test, one row per run and exit.

    Args:
        runs: with traces of valid, on which each exit is set, and test.
        loss: the accuracy budget, a share in [0, 1).

    Returns:
        Columns: label, dataset, seed, exit, budget, ``found`` (whether any setting kept the budget on
        valid; else the other columns are NaN), and on test accuracy, ``change`` against reading each sample
        at its end, mean_step, mean_ms, coverage (shares in [0, 1]). The first and last rows of a run are the
        end itself and the oracle.

    Raises:
        InputError: a trace without readouts.
    """
    blocks = []
    for run in runs:
        if run.valid.readouts is None or run.test.readouts is None:
            raise InputError(f"{run.label}: a trace holds no readouts; judge the run again from its weights")
        end = accuracy_at_end(run.test)
        rows = [(AT_END, True, end, float((run.test.lengths - 1).mean()), 1.0)]
        for name, candidates in EXITS.items():
            rule = chosen_exit(candidates, run.valid, loss)
            if rule is None:
                rows.append((name, False, np.nan, np.nan, np.nan))
                continue
            decision = judged(run.test, rule)
            right = float((decision.label == run.test.labels).mean())
            rows.append((name, True, right, float(decision.step.mean()), float(decision.decided.mean())))
        oracle = oracle_exit(run.test)
        rows.append((ORACLE, True, float(oracle["right"].mean()), float(oracle["step"].mean()), 1.0))
        names, found, accuracy, step, coverage = (np.array(column) for column in zip(*rows, strict=True))
        ms = np.nan if run.test.step_ms is None else run.test.step_ms
        blocks.append(
            Table(
                {
                    "exit": names, "found": found, "accuracy": accuracy, "change": accuracy - end,
                    "mean_step": step, "mean_ms": (step + 1) * ms, "coverage": coverage,
                }
            ).tagged(label=run.label, dataset=run.dataset, seed=run.seed, budget=loss)
        )  # fmt: skip
    return stack(blocks)


def over_seeds(table: Table) -> Mapping[tuple[str, str, str], Mapping[str, Interval]]:
    """Return accuracy, change and mean step of each (dataset, label, exit) with intervals over seeds."""
    found: dict[tuple[str, str, str], dict[str, Interval]] = {}
    for dataset in table.distinct("dataset"):
        for label in table.where(dataset=dataset).distinct("label"):
            part = table.where(dataset=dataset, label=label)
            for name in part.distinct("exit"):
                rows = part.where(exit=name)
                found[dataset, label, name] = {
                    key: mean_interval(rows[key]) for key in ("accuracy", "change", "mean_step", "coverage")
                }
    return found
