"""Looks that stay a label's own in a figure that leaves other labels out."""

from collections.abc import Sequence

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.analysis.groups import Group


def facts_and_place(groups: Sequence[Group], group: Group) -> dict[str, str | int | float]:
    """Return a group's facts and its place among the groups, for the front of a table."""
    return {**group.facts, "place": [each.label for each in groups].index(group.label)}


def placed_looks(table: Table) -> dict[str, style.Look]:
    """Return the look of every label of a table with the column ``place``, as where all labels are drawn."""
    places = {label: table.where(label=label)["place"][0] for label in table.distinct("label")}
    known = list(style.looks([str(place) for place in range(max(places.values()) + 1)]).values())
    return {label: known[place] for label, place in places.items()}
