"""An empty plot, and a drawn one as JSON that is the same whenever and wherever it is made."""

from typing import Any

import numpy as np

TOOLS = "pan,box_zoom,wheel_zoom,save,reset"
FONT = "system-ui, sans-serif"


def new_figure(height: int, x_label: str, y_label: str, tools: str = TOOLS) -> Any:
    """Return an empty Bokeh figure as wide as its place in the page.

    Args:
        height: in pixels.
        x_label: of the axis.
        y_label: of the axis.
        tools: of the toolbar.
    """
    from bokeh.plotting import figure

    made = figure(
        height=height, sizing_mode="stretch_width", min_width=200, tools=tools, toolbar_location="above",
        x_axis_label=x_label, y_axis_label=y_label, background_fill_color=None, border_fill_color=None,
        outline_line_color=None, min_border_right=12,
    )  # fmt: skip
    made.toolbar.logo = None
    # A drag or a wheel scrolls the page until its tool is chosen: a plot must not catch a thumb.
    made.toolbar.active_drag = None
    made.toolbar.active_scroll = None
    for axis in (*made.xaxis, *made.yaxis):
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "13px"
        axis.axis_label_text_font = axis.major_label_text_font = FONT
    return made


def source(columns: dict[str, Any]) -> Any:
    """Return columns as Bokeh's data source, as plain numbers and texts."""
    from bokeh.models import ColumnDataSource

    return ColumnDataSource({name: np.asarray(values).tolist() for name, values in columns.items()})


def embedded(figure: Any, target: str) -> dict[str, Any]:
    """Return a figure as JSON for the element of a page with the id ``target``."""
    from bokeh.core.types import ID
    from bokeh.embed import json_item

    return _renumbered(dict(json_item(figure, target=ID(target))))


def _renumbered(item: dict[str, Any]) -> dict[str, Any]:
    """Return Bokeh's JSON with its ids counted from the start: they differ from process to process."""
    names: dict[str, str] = {}

    def collect(value: Any) -> None:
        if isinstance(value, dict):
            if value.get("type") == "object" and isinstance(value.get("id"), str):
                names.setdefault(value["id"], f"{item['target_id']}-{len(names)}")
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list):
            for inner in value:
                collect(inner)

    def renamed(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: renamed(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [renamed(inner) for inner in value]
        return names.get(value, value) if key in ("id", "root_id") else value

    collect(item)
    return {name: renamed(value, name) for name, value in item.items()}
