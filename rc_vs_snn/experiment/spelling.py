"""How the values of a grid's axes are called in the labels of its points."""

from collections.abc import Mapping, Sequence
from typing import Any


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


def texts_of(values: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the texts of a point's values by every name of their axis, and each with its axis in front.

    An axis is called by its key, and by the last part of it where no other axis ends so; one over the name of
    a part, or over the part as a whole, is called by the part, and stands without it in front.
    """
    short = {key: _short(key) for key in values}
    alone, named = dict(values), []
    for key, text in values.items():
        name = short[key] if list(short.values()).count(short[key]) == 1 else key
        alone[name] = text
        named.append(f"{name} = {text}" if "." in key.removesuffix(".name") else text)
    return alone, named


def _short(key: str) -> str:
    return key.removesuffix(".name").rpartition(".")[2]
