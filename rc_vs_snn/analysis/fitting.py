"""Making what is written around panels fit, whatever made them narrow: a width, columns, a style sheet."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from rc_vs_snn.analysis.texts import broken

BEYOND = 1.2  # of a panel's length: so far a name may reach beyond it, where neighbours leave room


def fit_names(figure: Figure) -> None:
    """Break the names of axes and the titles that reach out of their figure or over another panel's."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        for name, inches in _rooms(figure, axes):
            if "$" not in name.get_text():  # a formula is not broken
                name.set_text(broken(name.get_text(), inches, float(name.get_fontsize())))


def _rooms(figure: Figure, axes: Axes) -> list[tuple[Text, float]]:
    box, width = axes.get_window_extent(), figure.bbox.width
    middle = (box.x0 + box.x1) / 2
    beside = BEYOND * box.width
    inches = 1 / figure.dpi
    written = list(axes.texts)
    titles = [child for child in axes.get_children() if isinstance(child, Text) and child not in written]
    return [
        (axes.xaxis.label, min(2 * min(middle, width - middle), beside) * inches),
        (axes.yaxis.label, BEYOND * box.height * inches),
        *((title, min(width - box.x0, beside) * inches) for title in titles),
    ]
