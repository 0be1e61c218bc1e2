from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group


@dataclass(frozen=True)
class ErrorCurve:
    """Share of wrong answers if every sample were read at one step, a line per model."""

    def table(self, groups: Sequence[Group]) -> Table:
        blocks = []
        for group in groups:
            traces = [run.trace for run in group.runs]
            wrong = [(trace.evidence.argmax(2) != trace.labels[:, None]).mean(0) for trace in traces]  # (T,)
            steps = np.arange(traces[0].n_steps)
            blocks.append(Table({"step": steps, "wrong": np.mean(wrong, 0)}).tagged(label=group.label))
        return stack(blocks)

    def draw(self, table: Table) -> Figure:
        figure = Figure(figsize=(3.5, 2.5), layout="constrained")
        axes = figure.subplots()
        for label in table.distinct("label"):
            rows = table.where(label=label)
            axes.semilogy(rows["step"], rows["wrong"], label=label)
        axes.set(xlabel="Step at which all are read (0-based)", ylabel="Share wrong")
        axes.legend(frameon=False)
        return figure
