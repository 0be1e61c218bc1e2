"""Timing side by side: contenders alternate in one process, on one thread, by processor time.

A ratio is taken within a round, in which every contender runs once; its median and quartiles over
rounds are reported. Processor time and not wall time, so that a busy machine does not decide.
"""

import gc
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Row:
    """One measured figure.

    Attributes:
        case: what was run, such as "T = 20, mean step 0.9".
        contender: who ran it.
        median: median over rounds, in ``unit``.
        quartiles: first and third quartile of the same.
        n: number of rounds.
        unit: "ms", "us" or "MB".
        ratio: median over rounds of this contender's figure over the baseline's.
        ratio_quartiles: first and third quartile of the same.
    """

    case: str
    contender: str
    median: float
    quartiles: tuple[float, float]
    n: int
    unit: str
    ratio: float
    ratio_quartiles: tuple[float, float]


@dataclass(frozen=True)
class Skipped:
    """A contender that could not run, and why."""

    case: str
    contender: str
    reason: str


@dataclass(frozen=True)
class Result:
    """What one benchmark found.

    Attributes:
        title: what is compared.
        ratio: what a ratio means, such as "time / ours".
        baseline: the contender that ratios refer to.
        rows: the figures.
        skipped: contenders that could not run.
        models: the trained models behind it, a line each.
    """

    title: str
    ratio: str
    baseline: str
    rows: Sequence[Row]
    skipped: Sequence[Skipped] = ()
    models: Sequence[str] = ()


def race(
    case: str, contenders: Mapping[str, Callable[[], Any]], *, rounds: int, baseline: str | None = None
) -> list[Row]:
    """Time contenders in turn and return a row each.

    Args:
        case: names the comparison.
        contenders: what to call, by name.
        rounds: how often each is timed.
        baseline: the contender that ratios refer to; the first by default.
    """
    return rows_of(case, time_in_turn(contenders, rounds), "ms", baseline)


def time_in_turn(contenders: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, np.ndarray]:
    """Return every contender's time in every round, in milliseconds."""
    calls = {name: _calls_per_timing(run) for name, run in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    with _quiet():
        for index in range(rounds):
            turn = index % len(names)  # everyone runs after everyone: caches are left in turn
            for name in names[turn:] + names[:turn]:
                times[name].append(_seconds(contenders[name], calls[name]))
    return {name: np.array(found) * 1e3 for name, found in times.items()}


def rows_of(
    case: str, figures: Mapping[str, np.ndarray], unit: str, baseline: str | None = None
) -> list[Row]:
    """Return one row per contender from its figure in every round."""
    reference = figures[baseline or next(iter(figures))]
    return [
        Row(case, name, *_spread(found), len(found), unit, *_spread(found / reference))
        for name, found in figures.items()
    ]


def same_rows(ours: torch.Tensor, theirs: torch.Tensor, *, at_least: float = 0.99) -> None:
    """Assert that ``(T, B, K)`` outputs agree, but for the rows in which rounding moved a hidden spike."""
    agree = ((ours - theirs).abs().amax((0, 2)) < 1e-3).double().mean().item()
    assert agree >= at_least, f"only {agree:.1%} of the rows have the same outputs"


@contextmanager
def one_thread() -> Iterator[None]:
    """Run torch on one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _quiet() -> Iterator[None]:
    gc.collect()
    gc.disable()  # nobody pays for another's garbage
    try:
        yield
    finally:
        gc.enable()


def _calls_per_timing(run: Callable[[], Any]) -> int:
    """Warm up and return how many calls make a timing long enough to read the clock by."""
    run()
    seconds = _seconds(run, 1)
    return max(1, min(1000, int(0.01 / max(seconds, 1e-7))))


def _seconds(run: Callable[[], Any], calls: int) -> float:
    start = time.process_time()
    for _ in itertools.repeat(None, calls):
        run()
    return (time.process_time() - start) / calls


def _spread(values: np.ndarray) -> tuple[float, tuple[float, float]]:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
    return middle, (low, high)
