"""Who decides sooner and who is better, in words and as differences between runs of one seed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import Interval, paired_difference, percent_decimals

DATA = ("dataset", "n_samples")  # what two labels must have been judged on alike


@dataclass(frozen=True)
class Compared:
    """One label minus another, over the seeds both have.

    Attributes:
        label: the first.
        base: the label that is taken away.
        accuracy: difference of accuracy, a share.
        time: difference of the mean decision step; of earliness, a share of the sequence, where the two
            have other numbers of steps.
        in_steps: whether ``time`` is one of steps.
        decimals: how many decimals of a percentage mean something.
    """

    label: str
    base: str
    accuracy: Interval
    time: Interval
    in_steps: bool
    decimals: int


def compared(group: Group, base: Group) -> Compared | None:
    """Return the paired difference of two labels; None where they share no seed or no test samples.

    The one place where the report takes its statistics from.
    """
    facts, other = group.facts, base.facts
    same_data = all(facts[name] == other[name] for name in DATA)
    if not same_data or not _seeds(group) & _seeds(base):
        return None
    in_steps = facts["n_steps"] == other["n_steps"]
    accuracy, time = (
        paired_difference(_by_seed(group, name), _by_seed(base, name))
        for name in ("accuracy", "mean_step" if in_steps else "earliness")
    )
    return Compared(
        group.label, base.label, accuracy, time, in_steps, percent_decimals(int(facts["n_samples"]))
    )


def summary_sentences(groups: Sequence[Group]) -> list[str]:
    """Return what a reader wants to know first: who decides sooner, who is better, and how sure that is."""
    sentences = []
    for same in _by_data(groups):
        soonest = min(same, key=_sooner)
        best = max(same, key=lambda group: group.interval("accuracy").mean)
        pair = compared(same[1], same[0]) if len(same) == 2 else None
        if pair is None:
            sentences.append(_standing(same, soonest, best))
            pair = compared(soonest, best) if soonest is not best else None
        if pair is not None:
            sentences.append(_verdict(pair))
    return sentences


def further_sentences(groups: Sequence[Group]) -> list[str]:
    """Return how every label of three or more stands to the first one on the same test samples."""
    sentences = []
    for first, *others in _by_data(groups):
        pairs = {group.label: compared(group, first) for group in others}
        if len(others) > 1:
            sentences += [_verdict(pair) for pair in pairs.values() if pair is not None]
        alone = [label for label, pair in pairs.items() if pair is None]
        if alone:
            sentences.append(
                f"No seed in common with {first.label}, so that no difference is taken: {', '.join(alone)}."
            )
    return sentences


def _by_data(groups: Sequence[Group]) -> list[list[Group]]:
    found: dict[tuple[str | int, ...], list[Group]] = {}
    for group in groups:
        found.setdefault(tuple(group.facts[name] for name in DATA), []).append(group)
    return list(found.values())


def _sooner(group: Group) -> float:
    """Return the share of the sequence before the mean decision: steps of codes that differ in T compare."""
    return group.interval("mean_step").mean / int(group.facts["n_steps"])


def holds_zero(interval: Interval) -> bool:
    """Return whether an interval leaves the sign of a difference open."""
    return interval.half_width is not None and abs(interval.mean) <= interval.half_width


def _verdict(pair: Compared) -> str:
    sooner = _half(pair, pair.time, "decides sooner than", "decide equally soon", less_wins=True)
    better = _half(pair, pair.accuracy, "is more accurate than", "are equally accurate", less_wins=False)
    basis = pair.accuracy.basis.replace("seeds", "shared seeds")
    return f"{sooner}; {better} ({basis})."


def _half(pair: Compared, found: Interval, wins: str, equal: str, *, less_wins: bool) -> str:
    if found.mean == 0 and not found.half_width:
        return f"{pair.label} and {pair.base} {equal}"
    if math.isnan(found.mean):
        return f"of {pair.label} and {pair.base} it is not known which {wins.removesuffix(' than')}"
    ahead = (found.mean < 0) == less_wins
    first, second = (pair.label, pair.base) if ahead else (pair.base, pair.label)
    size = Interval(abs(found.mean), found.half_width, found.n, found.unit)
    if found.mean == 0:
        return f"{pair.label} and {pair.base} {equal} on average, by an interval that holds zero"
    if not less_wins:
        text = f"{size.spell(pair.decimals, 100)} points"
    elif pair.in_steps:
        text = f"{size.spell(2)} steps"
    else:
        text = f"{size.spell(1, 100)} % of the sequence"
    return f"{first} {wins} {second} by {text}{', an interval that holds zero' * holds_zero(found)}"


def _standing(same: Sequence[Group], soonest: Group, best: Group) -> str:
    facts = best.facts
    decimals = percent_decimals(int(facts["n_samples"]))
    share = f"{best.interval('accuracy').spell(decimals, 100)} % of {facts['n_samples']:,} test samples"
    first, last = soonest.interval("mean_step").spell(2), int(soonest.facts["n_steps"]) - 1
    basis = "; ".join(dict.fromkeys(group.interval("accuracy").basis for group in (soonest, best)))
    if len(same) == 1:
        return (
            f"{best.label} is right on {share} of {facts['dataset']}, at mean decision step {first} of 0 to "
            f"{last} ({basis})."
        )
    among = f"Of {len(same)} models on {facts['dataset']}"
    if soonest is best:
        return (
            f"{among}, {best.label} is the most accurate, right on {share}, and decides the soonest, at mean "
            f"step {first} of 0 to {last} ({basis})."
        )
    return (
        f"{among}, {soonest.label} decides the soonest, at mean step {first} of 0 to {last}, and "
        f"{best.label} is the most accurate, right on {share} ({basis})."
    )


def _seeds(group: Group) -> set[int]:
    return {run.record.seed for run in group.runs}


def _by_seed(group: Group, name: str) -> dict[int, float]:
    return {run.record.seed: run.metric(name) for run in group.runs}
