"""A layout that comes out the same each time, to the bit."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

DECIMALS = 6


class SettledLayout(ConstrainedLayoutEngine):
    """Matplotlib's constrained layout, with the places of axes rounded to millionths of the figure.

    Its solver adds in an order that depends on memory addresses. What differs in the last bits would be seen
    in SVG files, whose clip paths are named by a hash of the place.
    """

    def execute(self, fig: Figure) -> None:
        """Lay the figure out."""
        super().execute(fig)
        for axes in fig.axes:
            if axes.get_subplotspec() is not None:
                place = axes.get_position(original=True).extents
                axes.set_position(Bbox.from_extents(*np.round(place, DECIMALS)), which="original")
                axes.set_in_layout(True)  # a place that is set by hand would leave the layout
