"""Small tables in HTML, for what notebooks show of an object."""

import html
from collections.abc import Iterable, Sequence

MOST_ROWS = 10


def html_table(
    caption: str, head: Sequence[object], rows: Iterable[Sequence[object]], n_rows: int | None = None
) -> str:
    """Return a table; all text is escaped.

    Args:
        caption: what stands above it.
        head: names of the columns.
        rows: one value per column; the first stands to the left, the others to the right.
        n_rows: how many rows there are, where ``rows`` are the first of them only.
    """
    body = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    left_out = (n_rows or 0) - body.count("<tr>")
    if left_out > 0:
        body += f'<tr><td colspan="{len(head)}">... and {left_out:,} more</td></tr>'
    return (
        f'<table><caption style="text-align:left;white-space:nowrap">{html.escape(caption)}</caption>'
        f"<thead><tr>{_cells('th', head)}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(tag: str, values: Sequence[object]) -> str:
    sides = ["left", *["right"] * (len(values) - 1)]
    return "".join(
        f'<{tag} style="text-align:{side}">{html.escape(str(value))}</{tag}>'
        for side, value in zip(sides, values, strict=True)
    )


def percent(share: float) -> str:
    """Return a share in [0, 1] as per cent."""
    return f"{100 * share:.2f} %"
