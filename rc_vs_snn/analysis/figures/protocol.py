"""What a figure is: a table made from runs, and a drawing made from nothing but that table."""

from collections.abc import Sequence
from typing import Protocol

from matplotlib.figure import Figure

from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.groups import Group


class ComparisonFigure(Protocol):
    """A registered figure. What `draw` shows is in the table, which is saved beside it."""

    def table(self, groups: Sequence[Group]) -> Table:
        """Return the numbers, one block of rows per label; empty if the runs hold none."""
        ...

    def draw(self, table: Table) -> Figure:
        """Return the figure of a non-empty table."""
        ...
