"""What accuracy costs in energy, under one named table of costs that the figure prints."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from matplotlib.figure import Figure

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.derived import column, derived_sweeps
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import cell
from rc_vs_snn.analysis.looks import facts_and_place, placed_looks
from rc_vs_snn.analysis.statistics.energy import DEFAULT, TABLES, EnergyTable
from rc_vs_snn.analysis.sweeps import OPERATING, SWEEP
from rc_vs_snn.registry import figures

TABLE = TABLES[DEFAULT]
MEASURED = "45 nm, 32-bit float, Horowitz, ISSCC 2014"


def energy_pj(acs: np.ndarray, macs: np.ndarray, table: EnergyTable = TABLE) -> np.ndarray:
    """Return the estimated energy of some synaptic operations, in picojoules; NaN where one is not counted.

    Args:
        acs: accumulates.
        macs: multiply-accumulates.
        table: what each is taken to cost.
    """
    return table.ac_pj * np.asarray(acs, np.float64) + table.mac_pj * np.asarray(macs, np.float64)


@figures.register("energy-vs-accuracy")
@dataclass(frozen=True)
class EnergyVsAccuracy:
    """Accuracy against the estimated energy of a decision (45 nm, 32-bit float, Horowitz 2014)."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the sweep and operating point of every label, in picojoules.

        Labels whose models do not count their operations are left out; empty if none does.
        """
        rows = derived_sweeps(
            groups,
            {
                "accuracy": column("accuracy"),
                "energy_pj": lambda table: energy_pj(table["acs"], table["macs"]),
            },
        )
        blocks = []
        for group in groups:
            own = rows.where(label=group.label)
            if np.isfinite(own.where(series=OPERATING)["energy_pj"]).all():
                blocks.append(own.tagged(place=facts_and_place(groups, group)["place"]))
        return stack(blocks)

    @style.applied()
    def draw(self, table: Table) -> Figure:
        """Return the figure; the assumption stands on top of it."""
        looks = placed_looks(table)
        note = (
            f"an estimate, not a measurement: {TABLE.ac_pj:g} pJ per AC and {TABLE.mac_pj:g} pJ per "
            f"MAC ({MEASURED}); memory traffic and leaks are not in it"
        )
        figure = style.new_figure(style.COLUMN_INCHES, 2.9, style.caption(table, note))
        axes = figure.add_subplot()
        axes.set_xscale(style.options().xscale or "log")
        handles, points = [], []
        for label, look in looks.items():
            rows = table.where(label=label)
            sweep, point = rows.where(series=SWEEP), rows.where(series=OPERATING)
            axes.plot(
                sweep["energy_pj"] / 1e3, sweep["accuracy"],
                color=look.colour, linestyle=look.line, label=f"{label}: threshold sweep",
            )  # fmt: skip
            style.band(axes, sweep["energy_pj"] / 1e3, sweep["accuracy"], sweep["accuracy_half_width"], look)
            energy, accuracy = cell(point, "energy_pj"), cell(point, "accuracy")
            points.append(accuracy)
            width = None if energy.half_width is None else energy.half_width / 1e3
            style.operating_mark(
                axes, replace(energy, mean=energy.mean / 1e3, half_width=width), accuracy, look
            )
            said = f"{label}: {100 * accuracy.mean:.1f} % for {spelt_energy(energy.mean)}"
            text = said if style.options().values == "legend" else label
            handles.append(
                style.key(
                    text,
                    color=look.colour, linestyle=look.line, marker=look.marker, markersize=6,
                    markeredgecolor="black",
                )
            )  # fmt: skip
        axes.set_ylim(style.accuracy_window(table.where(series=SWEEP)["accuracy"], points))
        axes.set_xlabel("Estimated energy per decision (nJ)")
        axes.set_ylabel("Test accuracy")
        style.percent_axis(axes)
        style.add_legend(figure, handles)
        return figure


def spelt_energy(picojoules: float) -> str:
    """Return an energy to three digits with its unit, such as "1.52 µJ"."""
    for size, unit in ((1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ")):
        if picojoules >= size:
            return f"{picojoules / size:.3g} {unit}"
    return f"{picojoules:.3g} pJ"
