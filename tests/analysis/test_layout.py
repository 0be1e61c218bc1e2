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


@style.applied()
def test_axes_that_keep_a_shape_fit_at_once():
    figure = style.new_figure(3.5, 4.0, "a caption")
    axes = figure.add_subplot()
    axes.set_title("a title\nof two lines", loc="left")
    axes.set_xlabel("Decided class")
    axes.set_ylabel("True class")
    axes.set_aspect("equal")
    figure.draw_without_rendering()
    box = axes.get_tightbbox()
    assert box.y0 >= 0
    assert box.x0 >= 0
    assert figure.bbox.contains(box.x1, box.y1)
