"""The numbers most figures share: every label's threshold sweep and its operating point, in one table."""

from collections.abc import Sequence

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group

SWEEP, OPERATING = "threshold sweep", "operating point"


def sweeps_and_points(groups: Sequence[Group], names: Sequence[str]) -> Table:
    """Return the threshold sweep and the operating point of every label.

    Args:
        groups: the runs compared.
        names: columns of interest; each comes with its half width over seeds, the thresholds last.
    """
    blocks = []
    for group in groups:
        blocks.append(group.sweep().tagged(**group.facts, series=SWEEP))
        blocks.append(group.operating_point(names).tagged(**group.facts, series=OPERATING))
    whole = stack(blocks)
    widths = [f"{name}_half_width" for name in names]
    return Table({name: whole[name] for name in [*groups[0].facts, "series", *names, *widths, "threshold"]})
