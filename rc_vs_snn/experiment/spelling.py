"""How the points of a grid are called, and the values of its axes in that."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rc_vs_snn.config import LONGEST, short_key, slug
from rc_vs_snn.errors import InputError, did_you_mean

FIELD = re.compile(r"\{([^{}]*)\}")


def spelt(value: Any) -> str:
    """Return a value as text; a minus as a word, which a folder's name keeps."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"minus {-value}" if value < 0 else str(value)
    if isinstance(value, dict):
        options = [f"{key} = {spelt(option)}" for key, option in value.items() if key != "name"]
        return ", ".join([str(value["name"]), *options] if "name" in value else options)
    if isinstance(value, list):
        return f"[{', '.join(map(spelt, value))}]"
    return str(value)


def value_texts(values: Sequence[Any], names: Mapping[str, str]) -> list[str]:
    """Return what the values of one axis are called: a part by its name, where that tells it from the others.

    Args:
        values: of the axis.
        names: other texts by the texts.
    """
    parts = [
        str(value.get("name", spelt(value))) if isinstance(value, dict) else spelt(value) for value in values
    ]
    texts = parts if len(set(parts)) == len(parts) else list(map(spelt, values))
    return [names.get(text, text) for text in texts]


def point_label(label: str, values: Mapping[str, str], template: str | None = None) -> str:
    """Return what a point of a grid is called: the model's label with all values, or as a template says.

    Args:
        label: of the model.
        values: texts by the keys of their axes.
        template: a text with ``{label}``, and ``{axis}`` for the value of an axis.

    Raises:
        InputError: the template names no axis, or there is none and the label is too long.
    """
    alone, named = _texts_of(values)
    if template is None:
        said = ", ".join([label, *named])
        if len(slug(said)) > LONGEST:
            raise InputError(
                f"the label '{said}' is too long for a folder's name; say shorter ones: label = "
                f"'{{label}}, {{{next(iter(alone))}}}' in the grid, or --grid label=..."
            )
        return said
    fields = {"label": label, **alone}
    for name in FIELD.findall(template):
        if name not in fields:
            raise InputError(f"label of the grid: no axis '{name}'; {did_you_mean(name, fields)}")
    return FIELD.sub(lambda match: fields[match[1]], template)


def _texts_of(values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the texts of a point's values by every name of their axis, and each with its axis in front.

    An axis is called by its key, and by the last part of it where no other axis ends so; one over the name of
    a part, or over the part as a whole, is called by the part, and stands without it in front.
    """
    short = {key: short_key(key) for key in values}
    alone, named = dict(values), []
    for key, text in values.items():
        name = short[key] if list(short.values()).count(short[key]) == 1 else key
        alone[name] = text
        named.append(f"{name} = {text}" if "." in key.removesuffix(".name") else text)
    return alone, named
