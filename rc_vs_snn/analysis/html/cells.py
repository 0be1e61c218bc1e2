"""Tables as a page shows them: texts to read, and beside each number the value it is sorted by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.html.compared import Compared, compared, holds_zero
from rc_vs_snn.analysis.html.points import LabelPoints
from rc_vs_snn.analysis.intervals import Interval, percent_decimals
from rc_vs_snn.analysis.sweeps import OPERATING
from rc_vs_snn.analysis.tables import summary_table

MS = "ms of input"
OWN_RULE = "the rule as run"
NOT_COUNTED = "not counted"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is read.
        value: what it is sorted by; None for text, NaN (which comes last) where there is no number.
    """

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Sheet:
    """A table of the page; the first cell of a row names it.

    Attributes:
        name: its id in the page.
        caption: what it shows.
        header: of the columns.
        rows: as long as the header each.
    """

    name: str
    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def summary_sheet(groups: Sequence[Group]) -> Sheet:
    """Return one row per label: how good, how soon, at what cost, by the rule that was run."""
    timed = any(np.isfinite(group.interval("mean_ms").mean) for group in groups)
    header = [
        "model", "accuracy %", "over decided %", "coverage %", "mean step", *[MS] * timed,
        "median step", "forced %", "tied %", "parameters", "ACs", "MACs", "leaks", "training s", "seeds",
    ]  # fmt: skip
    rows = []
    for group in groups:
        percent = _Percent(group)
        rows.append(
            [
                Cell(group.label),
                *(percent(group.interval(name)) for name in ("accuracy", "accuracy_decided", "coverage")),
                _number(group.interval("mean_step"), 2),
                *[_number(group.interval("mean_ms"), 0)] * timed,
                _number(group.interval("median_step"), 1),
                *(percent(group.interval(name)) for name in ("forced", "tied")),
                *(_count(group.interval(name)) for name in ("parameters", "acs", "macs", "leaks")),
                _number(group.interval("train_seconds"), 0),
                Cell(str(len(group.runs)), len(group.runs)),
            ]
        )
    return Sheet("models", "By the rule each model was run with, over all test samples", header, rows)


def settings_sheet(groups: Sequence[Group]) -> Sheet:
    """Return one row per label: what it is, what it saw, how it was trained and decides."""
    names = ("registered_as", "dataset", "input_code", "objective", "rule")
    table = summary_table(groups)
    rows = [
        [
            Cell(group.label),
            *(Cell(str(table[name][at])) for name in names),
            Cell(str(group.runs[0].record.metrics["evidence"])),
        ]
        for at, group in enumerate(groups)
    ]
    header = ["model", *(name.replace("_", " ") for name in names), "evidence"]
    return Sheet("settings", "What was run", header, rows)


def difference_sheet(groups: Sequence[Group]) -> Sheet:
    """Return one row per ordered pair of labels that share seeds and test samples."""
    pairs = [compared(group, base) for base in groups for group in groups if group is not base]
    header = ["model", "minus", "accuracy, points", "mean step", "interval holds zero", "shared seeds"]
    return Sheet(
        "differences",
        "Paired differences by seed, each model minus the other",
        header,
        [_difference(pair) for pair in pairs if pair is not None],
    )


def _difference(pair: Compared) -> list[Cell]:
    scale, decimals, unit = (1.0, 2, "") if pair.in_steps else (100.0, 1, " % of the sequence")
    held = [name for name, found in (("accuracy", pair.accuracy), ("time", pair.time)) if holds_zero(found)]
    zero = "one seed: no interval" if pair.accuracy.half_width is None else " and ".join(held) or "neither"
    return [
        Cell(pair.label),
        Cell(pair.base),
        _number(pair.accuracy, pair.decimals, 100),
        Cell(pair.time.spell(decimals, scale) + unit, pair.time.mean),
        Cell(zero),
        Cell(str(pair.accuracy.n), pair.accuracy.n),
    ]


def points_header(points: Sequence[LabelPoints]) -> list[str]:
    """Return the columns of an operating point."""
    timed = any(each.step_ms is not None for each in points)
    return [
        "model", "threshold", "mean step", *[MS] * timed, "accuracy %", "coverage %",
        "over decided %", "forced %", "tied %", "ACs", "MACs", "leaks",
    ]  # fmt: skip


def point_cells(points: LabelPoints, timed: bool) -> list[list[Cell]]:
    """Return the cells of every operating point of a label: of its table row and of its tooltip."""
    percent = _Percent(points.group)
    table = points.table
    rows = []
    for row in range(len(table)):
        at = _Row(table, row, len(points.group.runs), max(len(points.traced), 1))
        own = table["series"][row] == OPERATING
        step = at("mean_step")
        shares = [
            percent(at(name)) for name in ("accuracy", "coverage", "accuracy_decided", "forced", "tied")
        ]
        rows.append(
            [
                Cell(points.group.label),
                Cell(OWN_RULE, math.nan) if own else _threshold(float(table["threshold"][row])),
                _number(step, 2),
                *[_number(_ms(step, points.step_ms), 0)] * timed,
                *shares,
                *(_count(at(name)) for name in ("acs", "macs", "leaks")),
            ]
        )
    return rows


def told(points: LabelPoints, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Return what the plot shows of a label in words: where its rule stands, where its curve goes.

    Args:
        points: of the label.
        header: of its cells.
        rows: its cells, see `point_cells`.
    """
    step, accuracy = (header.index(name) for name in ("mean step", "accuracy %"))
    *sweep, rule = [f"{row[accuracy].text} % at mean step {row[step].text}" for row in rows]
    text = f"{points.group.label}: {rule} by {OWN_RULE}"
    if not sweep:
        return f"{text}."
    best = int(np.argmax(points.table["accuracy"][:-1]))
    return f"{text}; over thresholds from {sweep[0]} to {sweep[-1]}, at best {sweep[best]}."


@dataclass(frozen=True)
class _Row:
    """One row of `mean_over_seeds` as intervals."""

    table: Table
    row: int
    n_runs: int
    n_traced: int

    def __call__(self, name: str) -> Interval:
        n = self.n_runs if self.table["series"][self.row] == OPERATING else self.n_traced
        width = float(self.table[f"{name}_half_width"][self.row])
        return Interval(float(self.table[name][self.row]), None if math.isnan(width) else width, n)


@dataclass(frozen=True)
class _Percent:
    group: Group

    def __call__(self, interval: Interval) -> Cell:
        return _number(interval, percent_decimals(int(self.group.facts["n_samples"])), 100)


def threshold_text(threshold: float) -> str:
    """Return a threshold so that neighbours of a sweep, which crowd near 1, differ."""
    near_one = 0.9 < threshold < 1
    return f"{threshold:.7g}" if near_one else f"{threshold:.4g}"


def _threshold(threshold: float) -> Cell:
    return Cell(threshold_text(threshold), threshold)


def _ms(step: Interval, step_ms: float | None) -> Interval:
    if step_ms is None:
        return Interval(math.nan, None, step.n)
    width = None if step.half_width is None else step.half_width * step_ms
    return Interval((step.mean + 1) * step_ms, width, step.n)


def _number(interval: Interval, decimals: int, scale: float = 1.0) -> Cell:
    return Cell(interval.spell(decimals, scale), interval.mean)


def _count(interval: Interval) -> Cell:
    if math.isnan(interval.mean):
        return Cell(NOT_COUNTED, math.nan)
    text = f"{interval.mean:,.0f}"
    return Cell(text if not interval.half_width else f"{text} ± {interval.half_width:,.0f}", interval.mean)


def steps_sheet(table: Table) -> Sheet:
    """Return the numbers of the histograms of decision steps, from the figure's table."""
    rows = []
    for row in range(len(table)):
        forced = bool(table["forced"][row])
        right, wrong = float(table["right"][row]), float(table["wrong"][row])
        step = float(table["step"][row])
        rows.append(
            [
                Cell(str(table["label"][row])),
                Cell("forced" if forced else f"{step:g}", 1e9 if forced else step),
                Cell(f"{100 * right:.2f}", right),
                Cell(f"{100 * wrong:.2f}", wrong),
            ]
        )
    header = ["model", "decision step", "right, % of samples", "wrong, % of samples"]
    return Sheet("steps", "Samples by decision step, means over seeds", header, rows)
