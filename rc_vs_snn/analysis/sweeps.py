"""The numbers most figures share: every label's threshold sweep and its operating point, in one table."""

from collections.abc import Sequence

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group, fact_names

SWEEP, OPERATING = "threshold sweep", "operating point"


def sweeps_and_points(groups: Sequence[Group], names: Sequence[str]) -> Table:
    """Return the threshold sweep and the operating point of every label.

    A group whose runs hold no trace beside others that do has its operating point alone.

    Args:
        groups: the runs compared.
        names: columns of interest; each comes with its half width over seeds, the thresholds last.
    """
    blocks = []
    swept = traced(groups)
    for group in groups:
        if group in swept:
            blocks.append(group.sweep().tagged(**group.facts, series=SWEEP))
        blocks.append(group.operating_point(names).tagged(**group.facts, series=OPERATING))
    whole = stack(blocks)
    widths = [f"{name}_half_width" for name in names]
    return Table(
        {name: whole[name] for name in [*fact_names(groups), "series", *names, *widths, "threshold"]}
    )


def traced(groups: Sequence[Group]) -> list[Group]:
    """Return the groups whose runs hold traces; all where none does, so that who reads them is told."""
    return [group for group in groups if group.has_traces] or list(groups)
