"""Axes lie at rounded places, so that what the solver leaves in the last bits is in no file."""

import numpy as np

from rc_vs_snn.analysis import style


@style.applied()
def test_places_are_rounded_and_axes_stay_in_the_layout():
    figure = style.new_figure(7.0, 4.0, "a caption")
    panels = figure.add_gridspec(2, 3, height_ratios=[1, 2.1])
    for cell in (panels[0, 0], panels[0, 1:], panels[1, :2], panels[1, 2]):
        figure.add_subplot(cell).set_xlabel("step")
    figure.draw_without_rendering()
    places = [axes.get_position(original=True).extents for axes in figure.axes]
    for axes, place in zip(figure.axes, places, strict=True):
        np.testing.assert_array_equal(place, np.round(place, 6))
        assert axes.get_in_layout()
    figure.axes[0].set_ylabel("a label\nof two lines")
    figure.draw_without_rendering()
    assert figure.axes[0].get_position(original=True).x0 > places[0][0], "laid out anew"
