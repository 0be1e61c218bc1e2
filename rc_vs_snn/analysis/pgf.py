"""Figures as pictures for LaTeX (PGF), whose text the paper's own LaTeX sets, written without one.

Matplotlib's own writer of PGF asks a running LaTeX how wide each text will be. Here the layout is that of the
other formats, measured in matplotlib's fonts, which are wider than LaTeX's. Text is escaped, and images are
named without LaTeX.
"""

import io
import re
from typing import Any

from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_mixed import MixedModeRenderer
from matplotlib.backends.backend_pgf import RendererPgf
from matplotlib.figure import Figure
from PIL import Image

from rc_vs_snn.analysis.latex import escaped

HEADER = r"""% \usepackage{pgf} in the preamble, then \input{NAME.pgf}; its images must be found.
\begingroup%
\makeatletter%
\def\mathdefault#1{#1}%
\begin{pgfpicture}%
"""
FOOTER = r"""\end{pgfpicture}%
\makeatother%
\endgroup%
"""


def pgf_files(figure: Figure, name: str) -> dict[str, bytes]:
    """Return ``<name>.pgf`` and the images it shows, by file name.

    Args:
        figure: laid out and drawn as it is for the other formats.
        name: of the figure.
    """
    figure.draw_without_rendering()  # the layout, in matplotlib's fonts
    layout = figure.get_layout_engine()
    figure.set_layout_engine("none")
    text, images = io.StringIO(), dict[str, bytes]()
    width, height = figure.get_size_inches()
    text.write(HEADER.replace("NAME", name))
    text.write(f"\\pgfpathrectangle{{\\pgfpointorigin}}{{\\pgfqpoint{{{width:f}in}}{{{height:f}in}}}}%\n")
    text.write("\\pgfusepath{use as bounding box, clip}%\n")
    vectors = _Renderer(figure, text, name, images)
    renderer: Any = MixedModeRenderer(figure, width, height, figure.dpi, vectors)
    try:
        figure.draw(renderer)
    finally:
        figure.set_layout_engine(layout)
    text.write(FOOTER)
    return {f"{name}.pgf": text.getvalue().encode(), **images}


class _Renderer(RendererPgf):
    """Matplotlib's renderer, but for what it would ask LaTeX."""

    def __init__(self, figure: Figure, text: io.StringIO, name: str, images: dict[str, bytes]) -> None:
        super().__init__(figure, text)
        self.name = name
        self.images = images
        self.ruler = RendererAgg(1, 1, figure.dpi)

    def get_text_width_height_descent(self, s: Any, prop: Any, ismath: Any) -> tuple[float, float, float]:
        """Return what a text measures in matplotlib's own fonts, in pixels."""
        return self.ruler.get_text_width_height_descent(s, prop, ismath)

    def draw_text(
        self, gc: Any, x: Any, y: Any, s: str, prop: Any, angle: Any, ismath: Any = False, mtext: Any = None
    ) -> None:
        """Write a text so that LaTeX sets it as it is read, formulas excepted."""
        super().draw_text(gc, x, y, _for_latex(s, bool(ismath)), prop, angle, ismath=ismath, mtext=mtext)

    def draw_image(self, gc: Any, x: float, y: float, im: Any, transform: Any = None) -> None:
        """Keep an image as a file of its own and show it at its place."""
        if not im.size:
            return
        file, content = f"{self.name}-img{len(self.images)}.png", io.BytesIO()
        Image.fromarray(im[::-1]).save(content, format="png")
        self.images[file] = content.getvalue()
        inch = 1 / self.dpi
        if transform is None:
            place = f"\\pgfsys@transformshift{{{x * inch:f}in}}{{{y * inch:f}in}}"
            height, width = (length * inch for length in im.shape[:2])
        else:  # scales an image of one by one
            a, b, c, d, right, up = transform.frozen().to_values()
            scale = "".join(f"{{{value * inch:f}}}" for value in (a, b, c, d))
            place = f"\\pgfsys@transformcm{scale}{{{(right + x) * inch:f}in}}{{{(up + y) * inch:f}in}}"
            height = width = 1.0
        self.fh.write("\\begin{pgfscope}%\n")
        self._print_pgf_clip(gc)
        shown = f"\\pgfimage[interpolate=true,width={width:f}in,height={height:f}in]{{{file}}}"
        self.fh.write(f"{place}%\n\\pgftext[left,bottom]{{{shown}}}%\n\\end{{pgfscope}}%\n")


def _for_latex(text: str, has_formulas: bool) -> str:
    """Return a text of matplotlib's as LaTeX: what stands between dollar signs is a formula in both."""
    if not has_formulas:
        return escaped(text)
    parts = re.split(r"(?<!\\)\$", text)
    return "".join(
        f"${part}$" if at % 2 else escaped(part.replace(r"\$", "$")) for at, part in enumerate(parts)
    )
