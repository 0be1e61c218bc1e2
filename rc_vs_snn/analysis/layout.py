"""A layout that comes out the same each time, to the bit."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

DECIMALS = 6
TURNS = 3


class SettledLayout(ConstrainedLayoutEngine):
    """Matplotlib's constrained layout, with the places of axes rounded to millionths of the figure.

    Its solver adds in an order that depends on memory addresses. What differs in the last bits would be seen
    in SVG files, whose clip paths are named by a hash of the place.
    """

    def execute(self, fig: Figure) -> None:
        """Lay the figure out, again where axes keep a shape: their place is a guess the first time."""
        shaped = any(axes.get_aspect() != "auto" for axes in fig.axes)
        for _ in range(TURNS if shaped else 1):
            super().execute(fig)
            self._settle(fig)

    def _settle(self, fig: Figure) -> None:
        for axes in fig.axes:
            if axes.get_subplotspec() is not None:
                place = axes.get_position(original=True).extents
                axes.set_position(Bbox.from_extents(*np.round(place, DECIMALS)), which="original")
                axes.set_in_layout(True)  # a place that is set by hand would leave the layout


def settle(figure: Figure) -> None:
    """Lay a figure out now and for good, so that every format shows the same and none does it again."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
