"""``statistics.md`` and ``statistics.csv``: a row per model, then every model against the first in words."""

import math
from collections.abc import Sequence

import numpy as np

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.intervals import Interval, cell, mean_over_seeds, percent_decimals
from rc_vs_snn.analysis.statistics import energy
from rc_vs_snn.analysis.statistics.accuracy_time import by_fixed_step, by_threshold, oracle
from rc_vs_snn.analysis.statistics.reliability import (
    BINS,
    confidence_at,
    expected_calibration_error,
    has_confidence,
)
from rc_vs_snn.analysis.statistics.stored import decision_of, has_trace
from rc_vs_snn.analysis.statistics.trade_off import best_point_of
from rc_vs_snn.analysis.statistics.two_models import TwoModels, compare_two
from rc_vs_snn.analysis.tables import basis, markdown_table
from rc_vs_snn.decision.metrics import average_cost
from rc_vs_snn.errors import InputError

ALPHAS = (0.1, 0.5)
RESAMPLES = 2_000  # for drawing in a moment; `compare_two` takes more
ENERGY_PARTS = ("acs", "macs", "updates", "memory")


def statistics_table(groups: Sequence[Group]) -> Table:
    """Return one row per configuration: every statistic's mean over seeds and its half width, unrounded.

    Shares, areas and costs are in [0, 1] (costs up to 1 + alpha), energies in nanojoules. NaN: not there.

    Args:
        groups: finished runs.
    """
    rows = []
    for group in groups:
        numbers = mean_over_seeds([_numbers(run) for run in group.runs])
        memory = energy.TABLES[energy.DEFAULT].memory_for(group.interval("parameters").mean)
        rows.append(numbers.tagged(**group.facts, memory=memory))
    return stack(rows)


def statistics_markdown(groups: Sequence[Group], table: Table) -> str:
    """Return the statistics as tables to read, and every configuration against the first in words.

    Args:
        groups: finished runs.
        table: their `statistics_table`.
    """
    costs = energy.TABLES[energy.DEFAULT]
    parts = [
        "# Statistics",
        f"{basis(groups)} How each number is made, and how to read it: docs/statistics.md.",
        "## Accuracy, time and calibration",
        markdown_table(
            _ACCURACY_HEADER, [_accuracy_row(table.where(label=group.label)) for group in groups], 1
        ),
        _ACCURACY_NOTE,
        "## Energy to decision",
        markdown_table(_ENERGY_HEADER, [_energy_row(table.where(label=group.label)) for group in groups], 1),
        f"An estimate from counted operations, mean per sample, {costs.name}: {costs.assumption}. "
        f"{energy.MEMORY} {energy.LEFT_OUT} Source: {costs.source}.",
    ]
    if len(groups) > 1:
        parts += [f"## Against {groups[0].label}", *(_against(group, groups[0]) for group in groups[1:])]
    return "\n\n".join(parts) + "\n"


def _numbers(run: FinishedRun) -> Table:
    accuracy, early = run.metric("accuracy"), run.metric("earliness")
    numbers = {
        **(_of_trace(run) if has_trace(run) else dict.fromkeys(_OF_TRACE, math.nan)),
        "harmonic_mean": run.metric("harmonic_mean"),
        "coverage": run.metric("coverage"),
    }
    for alpha in ALPHAS:
        cost = math.nan if math.isnan(early) else average_cost(accuracy, early, alpha)
        best = best_point_of(run, alpha) if has_trace(run) else None
        numbers[f"average_cost_{alpha:g}"] = cost
        numbers[f"best_cost_{alpha:g}"] = math.nan if best is None else best.cost
        numbers[f"best_threshold_{alpha:g}"] = math.nan if best is None else best.threshold
    spent = energy.energy_to_decision(
        run.metric("acs"), run.metric("macs"), run.metric("leaks"), run.metric("parameters")
    )
    numbers |= {f"{part}_nj": getattr(spent, f"{part}_nj") for part in (*ENERGY_PARTS, "operations", "total")}
    numbers["traffic_bytes"] = spent.traffic_bytes
    return Table({name: np.array([value]) for name, value in numbers.items()})


_OF_TRACE = ("auc", "auc_earliness", "auc_fixed_step", "auc_oracle", "ece")


def _of_trace(run: FinishedRun) -> dict[str, float]:
    trace, kind, decision = run.trace, run.record.metrics["evidence"], decision_of(run.record, run.trace)
    curve = by_threshold(trace, kind)
    right = decision.label == trace.labels
    numbers = (
        curve.area(),
        curve.area("earliness"),
        by_fixed_step(trace).area(),
        oracle(trace).area(),
        expected_calibration_error(confidence_at(trace, decision, kind), right)
        if has_confidence(trace, kind)
        else math.nan,
    )
    return dict(zip(_OF_TRACE, numbers, strict=True))


_ACCURACY_HEADER = (
    "model", "AUC %", "AUC % read at one step", "AUC % oracle", "harmonic mean", "coverage %",
    *(f"AvgCost({alpha:g}) (best on valid)" for alpha in ALPHAS), "ECE %", "seeds",
)  # fmt: skip


_ACCURACY_NOTE = (
    "AUC: area under the accuracy-time curve, in % of all there is. AvgCost(alpha): an error costs 1, "
    "waiting for the whole sequence alpha; of the rule that was run and, behind it, of the threshold that "
    "costs least on valid (-: no trace of valid is kept). ECE: expected calibration error at the decision, "
    f"{BINS} equally wide bins of the confidence in the decided class."
)


def _accuracy_row(row: Table) -> list[str]:
    decimals = percent_decimals(int(row["n_samples"].item()))

    def percent(name: str) -> str:
        return cell(row, name).spell(decimals, 100)

    costs = [
        f"{cell(row, f'average_cost_{alpha:g}').spell(3)} ({cell(row, f'best_cost_{alpha:g}').spell(3)})"
        for alpha in ALPHAS
    ]
    areas = [percent(name) for name in ("auc", "auc_fixed_step", "auc_oracle")]
    mean = cell(row, "harmonic_mean").spell(3)
    return [row["label"].item(), *areas, mean, percent("coverage"), *costs, percent("ece"), _seeds(row)]


_ENERGY_HEADER = (
    "model", "ACs nJ", "MACs nJ", "neuron updates nJ", "operations nJ", "memory traffic kB", "memory µJ",
    "weights in", "seeds",
)  # fmt: skip


def _energy_row(row: Table) -> list[str]:
    def spell(name: str, scale: float = 1.0) -> str:
        return _three_digits(cell(row, name), scale)

    parts = [spell(f"{part}_nj") for part in ("acs", "macs", "updates", "operations")]
    traffic, memory = spell("traffic_bytes", 1e-3), spell("memory_nj", 1e-3)
    return [row["label"].item(), *parts, traffic, memory, row["memory"].item(), _seeds(row)]


def _three_digits(interval: Interval, scale: float) -> str:
    if math.isnan(interval.mean):
        return "not counted"
    size = abs(interval.mean * scale)
    return interval.spell(0 if size == 0 or size >= 100 else 1 if size >= 10 else 2, scale)


def _seeds(row: Table) -> str:
    return str(row["n_seeds"].item())


def _against(group: Group, first: Group) -> str:
    for each in (group, first):
        if not all(map(has_trace, each.runs)):
            return f"- {group.label}: not compared: {each.label} holds no trace."
    try:
        found = compare_two(group, first, resamples=RESAMPLES)
    except InputError as error:
        return f"- {group.label}: not compared: {error}."
    return f"- {found.sentence()} {_area(found)}{_tests(found)}"


def _area(found: TwoModels) -> str:
    difference = found.area.scaled(100).spell(percent_decimals(found.n_samples))
    return f"Difference in AUC: {difference} points ({found.area.basis})."


def _tests(found: TwoModels) -> str:
    if not found.mcnemar:
        return ""
    tests = "; ".join(
        f"seed {seed}: {test.spell()}" for seed, test in zip(found.seeds, found.mcnemar, strict=True)
    )
    return f" McNemar at that time, samples that only one gets right: {tests}."
