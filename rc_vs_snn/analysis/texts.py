"""Texts that a person chose, made safe to draw and broken into lines by what they measure."""

import re
import textwrap

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

HINTED = 1.05  # on a grid of few pixels letters are wider than as outlines, which are measured here
GLUE = "\N{NO-BREAK SPACE}"


def wrapped(text: str, inches: float, size: float) -> str:
    """Return a text that a person chose in lines of at most a width, safe to draw.

    Args:
        text: plain text; its own line breaks are kept.
        inches: the width, in the style's font.
        size: of the font, in points.
    """
    return plain(broken(text, inches, size))


def broken(text: str, inches: float, size: float) -> str:
    """Return a text in lines of at most a width, see `wrapped`."""
    lines: list[str] = []
    # a number stays with its interval, its unit and its name
    glued = re.sub(r" (?=[±%])|(?<=±) |(?<=\b[Tn]) (?==)|(?<=\b[Tn] =) ", GLUE, text)
    for paragraph in glued.split("\n"):
        whole = text_inches(paragraph, size)
        hyphens = any(text_inches(word, size) > inches for word in paragraph.split())  # a name of many parts
        signs = len(paragraph) if whole <= inches else int(len(paragraph) * inches / whole) + 12
        found = textwrap.wrap(paragraph, max(signs, 1), break_on_hyphens=hyphens)
        while signs > 4 and any(text_inches(line, size) > inches for line in found):
            signs -= 1
            found = textwrap.wrap(paragraph, signs, break_on_hyphens=hyphens)
        lines += found
    return "\n".join(lines).replace(GLUE, " ")


def text_inches(text: str, size: float) -> float:
    """Return the width of a line in the style's font of a size in points."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return HINTED * float(width) / 72


def plain(text: str) -> str:
    """Return text a user chose so that matplotlib does not read a formula into its dollar signs."""
    return text.replace("$", r"\$")
