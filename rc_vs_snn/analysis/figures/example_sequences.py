"""What a model makes of single sequences of a toy problem, step by step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import FinishedRun, Group
from rc_vs_snn.analysis.toy_runs import (
    NOISY_SIGN,
    SPOTTING,
    groups_on,
    ideal_step,
    noise_std,
    sequences,
)
from rc_vs_snn.registry import figures

HARDNESS = (0.05, 0.35, 0.65, 0.95)
"""The sequences drawn: those at these quantiles of the noise, or of the ideal step."""


@figures.register("example-sequences")
@dataclass(frozen=True)
class ExampleSequences:
    """Four test sequences from easy to hard with the evidence up to the decision, of the toy problems."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return one row per label, sequence and step, of each label's first seed; none of other corpora."""
        problem = next((name for name in (NOISY_SIGN, SPOTTING) if groups_on(name, groups)), "")
        of_problem = groups_on(problem, groups)
        return stack(
            [
                _examples(group.runs[0], problem).tagged(**group.facts, seed=group.runs[0].record.seed)
                for group in of_problem
                if _corpus(group) == _corpus(of_problem[0])  # the same sequences under the same ids
            ]
        )

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure: a column per sequence, its values above, the evidence below."""
        looks = style.looks(table.distinct("label"))
        ids = table.distinct("id")
        what = "noise" if table["dataset"][0] == NOISY_SIGN else "ideal step"
        quantiles = ", ".join(f"{quantile:g}" for quantile in HARDNESS)
        caption = (
            f"{table['dataset'][0]}: test sequences at the quantiles {quantiles} of the {what}; evidence of "
            f"class 1 in seed {table['seed'][0]} up to the decision (mark), black edge: wrong"
        )
        beside = len(ids) if style.side_by_side(len(ids), len(ids), 1.6) == len(ids) else 2
        width = style.PAGE_INCHES if beside > 2 else style.COLUMN_INCHES
        deep = math.ceil(len(ids) / beside)
        figure = style.new_figure(width, 0.4 + 2.6 * deep, caption)
        grid = figure.subplots(2 * deep, beside, sharex=True, sharey="row", squeeze=False)
        pairs = zip(grid[::2].ravel(), grid[1::2].ravel(), strict=True)
        for (above, below), sample_id in zip(pairs, ids, strict=False):
            rows = table.where(id=sample_id)
            shown = rows.where(label=next(iter(looks)))
            above.plot(
                shown["step"], shown["value"], color=style.GREY, marker=".", markersize=3, linewidth=0.8
            )
            above.set_title(f"{what} {shown['hardness'][0]:.3g}, class {shown['true_label'][0]}", loc="left")
            for label, look in looks.items():
                own = rows.where(label=label)
                seen = own.rows(own["step"] <= own["decision_step"])
                below.plot(seen["step"], seen["evidence"], color=look.colour, linestyle=look.line)
                right = seen["decision"][-1] == seen["true_label"][-1]
                below.plot(
                    seen["step"][-1:], seen["evidence"][-1:],
                    linestyle="", marker=look.marker, markersize=5, color=look.colour,
                    markeredgecolor=look.colour if right else "black",
                )  # fmt: skip
        for above, below in zip(grid[::2, 0], grid[1::2, 0], strict=True):
            above.set_ylabel("Input")
            below.set_ylabel("Evidence of class 1")
        for axes in grid[-1]:
            axes.set_xlabel("Step (0-based)")
        handles = [
            style.key(label, color=look.colour, linestyle=look.line, marker=look.marker, markersize=4)
            for label, look in looks.items()
        ]
        style.add_legend(figure, handles, 2)
        return figure


def _corpus(group: Group) -> dict[str, Any]:
    options: dict[str, Any] = group.runs[0].record.config["dataset"]
    return options


def _examples(run: FinishedRun, problem: str) -> Table:
    trace, decisions = run.trace, run.record.decisions()
    hardness = (noise_std if problem == NOISY_SIGN else ideal_step)(run, trace.ids)
    order = np.argsort(hardness, kind="stable")
    chosen = order[[round(quantile * (len(order) - 1)) for quantile in HARDNESS]]
    values = sequences(run, trace.ids[chosen])
    place = {sample_id: row for row, sample_id in enumerate(decisions["id"].tolist())}
    blocks = []
    for row, value in zip(chosen.tolist(), values, strict=True):
        decided = place[int(trace.ids[row])]
        steps = Table(
            {
                "step": np.arange(trace.n_steps),
                "value": value[: trace.n_steps],
                "evidence": trace.evidence[row, :, 1],
            }
        )
        blocks.append(
            steps.tagged(
                id=int(trace.ids[row]),
                hardness=float(hardness[row]),
                true_label=int(trace.labels[row]),
                decision=int(decisions["label"][decided]),
                decision_step=int(decisions["step"][decided]),
            )
        )
    return stack(blocks)
