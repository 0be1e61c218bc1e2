"""How much sooner at equal accuracy, how much better at equal time: two models compared pair by pair.

Both are read off the threshold sweeps of the two. A pair is a seed that both were run with or, with a single
seed, a resample of the test samples that both were judged on.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rc_vs_snn.analysis.groups import Group, group_runs
from rc_vs_snn.analysis.intervals import mean_interval
from rc_vs_snn.analysis.statistics import wording
from rc_vs_snn.analysis.statistics.estimates import RESAMPLES, Estimate, bootstrap
from rc_vs_snn.analysis.statistics.mcnemar import McNemar, mcnemar_at
from rc_vs_snn.analysis.statistics.pairs import Pair, Reading, read
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import Record


@dataclass(frozen=True)
class TwoModels:
    """What one model gains over another, by their threshold sweeps on the same test samples.

    Attributes:
        first: label of the first model.
        second: label of the second.
        seeds: the seeds that both were run with.
        n_samples: test samples of a run.
        unit: of decision times: "steps", or "ms" where the steps of the two differ in length.
        step_ms: how long a step is, where times are in steps and a step has a duration.
        accuracy: the accuracy at which times are compared, its mean over seeds.
        sooner: by how much the first decides sooner there; None where the sweeps do not meet, see ``apart``.
        time: the mean decision time at which accuracies are compared, its mean over seeds.
        better: by how much the accuracy of the first is higher there, in [-1, 1]; None likewise.
        area: difference of the areas under the accuracy-time curves over the decision step, in [-1, 1].
        apart: why ``sooner`` or ``better`` is None, a clause each.
        mcnemar: the test at ``time``, one per seed; empty where ``better`` is None.
    """

    first: str
    second: str
    seeds: tuple[int, ...]
    n_samples: int
    unit: str
    step_ms: float | None
    accuracy: float
    sooner: Estimate | None
    time: float
    better: Estimate | None
    area: Estimate
    apart: tuple[str, ...]
    mcnemar: tuple[McNemar, ...]

    def sentence(self) -> str:
        """Return both findings in words, with their intervals and what these rest on."""
        names, n = (self.first, self.second), self.n_samples
        clauses = list(self.apart)
        if self.better is not None:
            clauses.insert(0, wording.better(names, self.better, self.time, n, self.unit))
        if self.sooner is not None:
            told = wording.sooner(names, self.sooner, self.accuracy, n, self.unit, self.step_ms)
            clauses.insert(0, told)
        bases = dict.fromkeys(each.basis for each in (self.sooner, self.better) if each is not None)
        return wording.sentence(clauses, list(bases))


def compare_two(
    first: Sequence[Record] | Group,
    second: Sequence[Record] | Group,
    *,
    accuracy: float | None = None,
    time: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> TwoModels:
    """Compare two models where they are equally accurate, and where they decide equally soon.

    The runs are paired by seed. From two shared seeds on, each difference is taken within the seed and
    averaged, with a t-interval over seeds; with one, the interval is a paired bootstrap over samples. Equal
    accuracy is, unless given, that of the less accurate of the two rules that were run (or what both sweeps
    reach, if that is lower), seed by seed; equal time is that of the sooner one, likewise. Nothing is
    extrapolated: where a sweep does not get to the place, that difference is None.

    Args:
        first: runs of one configuration, one per seed.
        second: the same of another one.
        accuracy: compare decision times at this accuracy, in [0, 1].
        time: compare accuracies at this mean decision step, 0-based (in ms where steps differ in length).
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        InputError: several configurations on one side, no seed in common, other test samples, steps that do
            not mean the same, or an accuracy or time out of range.
    """
    groups = (_group(first), _group(second))
    if accuracy is not None and not 0 <= accuracy <= 1:
        raise InputError(f"accuracy must lie in [0, 1], got {accuracy:g}")
    if time is not None and not 0 <= time < np.inf:
        raise InputError(f"time must be at least 0 and finite, got {time:g}")
    pairs = _pairs(*groups)
    readings = {
        number: read(pair, pair.columns.mean(axis=0, dtype=np.float64)[None], accuracy, time)
        for number, pair in pairs.items()
    }
    some, names = next(iter(pairs.values())), (groups[0].label, groups[1].label)
    n_samples = len(some.columns)
    unequal = wording.apart_in_accuracy(names, readings, n_samples)
    untimely = wording.apart_in_time(names, readings, some.unit)
    sooner, better, area = _differences(
        list(pairs.values()), list(readings.values()), accuracy, time, resamples, seed
    )
    return TwoModels(
        first=names[0],
        second=names[1],
        seeds=tuple(pairs),
        n_samples=n_samples,
        unit=some.unit,
        step_ms=some.runs[0].trace.step_ms if some.unit == "steps" else None,
        accuracy=float(np.mean([each.level for each in readings.values()])),
        sooner=None if unequal else sooner,
        time=float(np.mean([each.time for each in readings.values()])),
        better=None if untimely else better,
        area=area,
        apart=tuple(why for why in (unequal, untimely) if why),
        mcnemar=() if untimely else tuple(_test(pairs[each], readings[each]) for each in pairs),
    )


def _group(runs: Sequence[Record] | Group) -> Group:
    if isinstance(runs, Group):
        return runs
    groups = group_runs(runs)
    if len(groups) > 1:
        labels = ", ".join(f"'{group.label}'" for group in groups)
        raise InputError(f"each side of a comparison is one model, got {labels}; give the runs of one")
    return groups[0]


def _pairs(first: Group, second: Group) -> dict[int, Pair]:
    runs, others = ({run.record.seed: run for run in group.runs} for group in (first, second))
    shared = sorted(runs.keys() & others.keys())
    if not shared:
        raise InputError(
            f"'{first.label}' and '{second.label}' have no seed in common ({sorted(runs)} against "
            f"{sorted(others)}); run both with the same seeds"
        )
    pairs = {seed: Pair.of(runs[seed], others[seed]) for seed in shared}
    if len({pair.unit for pair in pairs.values()}) > 1:
        raise InputError(
            f"the steps of '{first.label}' and '{second.label}' are equally long in some seeds only"
        )
    return pairs


def _differences(
    pairs: Sequence[Pair],
    readings: Sequence[Reading],
    accuracy: float | None,
    time: float | None,
    resamples: int,
    seed: int,
) -> list[Estimate]:
    """Return how much sooner, better and larger in area, with intervals over seeds or samples."""
    if len(pairs) == 1:
        return bootstrap(
            pairs[0].columns, lambda means: _stacked(read(pairs[0], means, accuracy, time)), resamples, seed
        )
    by_seed = np.concatenate([_stacked(each) for each in readings])  # (seed, 3)
    with np.errstate(invalid="ignore"):  # where sweeps do not meet; not reported then
        return [Estimate.of(mean_interval(values)) for values in by_seed.T]


def _stacked(reading: Reading) -> np.ndarray:
    return np.stack([reading.sooner, reading.better, reading.area], axis=1)


def _test(pair: Pair, reading: Reading) -> McNemar:
    clocks = [pair.clock(at) for at in (0, 1)]
    first, second = (
        float(reading.time[0]) if ms is None else float(reading.time[0]) / ms - 1 for ms in clocks
    )
    return mcnemar_at(pair.runs[0].trace, pair.runs[1].trace, (first, second))
