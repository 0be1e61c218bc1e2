"""What a person may choose about figures and tables: one value, checked when it is made."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.style_sheet import read_style_sheet
from rc_vs_snn.errors import InputError, did_you_mean

Columns = Literal[1, 2]
Scale = Literal["log", "linear"]
Time = Literal["steps", "ms"]
Values = Literal["legend", "table"]
Format = Literal["png", "svg", "pdf", "pgf"]

UNITS_PER_INCH = {"in": 1.0, "cm": 2.54, "mm": 25.4, "pt": 72.27}  # TeX's points, as in \the\columnwidth
NARROWEST, WIDEST = 2.0, 20.0  # inches; narrower, the text leaves no room to draw in
_LENGTH = re.compile(r"\s*([0-9]*\.?[0-9]+)\s*([a-z]*)\s*")


@dataclass(frozen=True)
class FigureOptions:
    """How figures and tables look.

    Attributes:
        style: a matplotlib style sheet (.mplstyle); what it does not set is as ever.
        width: of every figure, in inches or as a text with its unit: "3.4in", "8.6cm", "86mm", "246pt" (TeX's
            points, 72.27 an inch). None: 3.5 inches, or 7 where panels lie side by side.
        columns: 1 puts the panels of a figure below one another, for one column of a page; 2 side by side,
            for two. None: as each figure has it, or where a width is given, as many as fit into it.
        labels: other labels, by the recorded ones.
        order: labels that come first, in this order; the others follow as they were.
        xscale: scale of the horizontal axes of time and of operations. None: linear and logarithmic.
        time: decision times in "steps" from 0, or in "ms" of input seen by then.
        formats: of the files of a figure.
        values: where the numbers of the operating points stand: in the "legend", or in the "table" alone.

    Raises:
        InputError: a value that is none of these, a style sheet that cannot be used, or one label for two.
    """

    style: Path | str | None = None
    width: str | float | None = None
    columns: Columns | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    xscale: Scale | None = None
    time: Time = "steps"
    formats: Sequence[str] = ("png", "svg", "pdf")
    values: Values = "legend"
    inches: float | None = field(init=False, repr=False, compare=False)
    settings: Mapping[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _one_of("columns", self.columns, (None, *get_args(Columns)))
        _one_of("xscale", self.xscale, (None, *get_args(Scale)))
        _one_of("time", self.time, get_args(Time))
        _one_of("values", self.values, get_args(Values))
        if isinstance(self.formats, str) or not self.formats:
            raise InputError(f"formats must name at least one of {', '.join(get_args(Format))}")
        for name in self.formats:
            if name not in get_args(Format):
                raise InputError(f"unknown format '{name}'; {did_you_mean(str(name), get_args(Format))}")
        _refuse_twice("formats", self.formats)
        _refuse_twice("order", self.order)
        for old, new in self.labels.items():
            if not str(new).strip():
                raise InputError(f"the new label of '{old}' is empty; give {old}=NEW")
        object.__setattr__(self, "labels", dict(self.labels))
        object.__setattr__(self, "inches", None if self.width is None else _inches(self.width))
        sheet = {} if self.style is None else read_style_sheet(Path(self.style))
        object.__setattr__(self, "settings", sheet)


def arranged(groups: Sequence[Group], options: FigureOptions) -> list[Group]:
    """Return the groups under their new labels, in the order asked for.

    An order may name a group by its new label or by its old one.

    Raises:
        InputError: a label that no group has, or two groups with one label.
    """
    known = [group.label for group in groups]
    for old in options.labels:
        if old not in known:
            raise InputError(f"no label '{old}' to rename; {did_you_mean(old, known)}")
    renamed = [replace(group, label=options.labels.get(group.label, group.label)) for group in groups]
    owners: dict[str, str] = {}
    for old, group in zip(known, renamed, strict=True):
        if group.label in owners:
            raise InputError(
                f"'{owners[group.label]}' and '{old}' would both be called '{group.label}'; choose two labels"
            )
        owners[group.label] = old
    first = [_place(name, renamed, known) for name in options.order]
    _refuse_twice("order", [known[place] for place in first])
    rest = [place for place in range(len(renamed)) if place not in first]
    return [renamed[place] for place in (*first, *rest)]


def _place(name: str, renamed: Sequence[Group], known: Sequence[str]) -> int:
    now = [group.label for group in renamed]
    for labels in (now, known):
        if name in labels:
            return labels.index(name)
    raise InputError(f"no label '{name}' to order by; {did_you_mean(name, now)}")


def label_pairs(texts: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Return new labels by old ones, of texts OLD=NEW. A label may itself hold an equals sign.

    Args:
        texts: as they were typed.
        known: the labels there are.

    Raises:
        InputError: a text without an equals sign or without a known label, or a label renamed twice.
    """
    pairs: dict[str, str] = {}
    for text in texts:
        splits = [(text[:at].strip(), text[at + 1 :].strip()) for at, sign in enumerate(text) if sign == "="]
        if not splits:
            raise InputError(f"a new label is given as OLD=NEW, got '{text}'")
        # of several known labels the longest; of none the first, which the error then names
        old, new = next((split for split in reversed(splits) if split[0] in known), splits[0])
        if old not in known:
            raise InputError(f"no label '{old}' to rename; {did_you_mean(old, known)}")
        if pairs.setdefault(old, new) != new:
            raise InputError(f"'{old}' is to be both '{pairs[old]}' and '{new}'; give one of them")
    return pairs


def label_order(text: str, known: Sequence[str]) -> list[str]:
    """Return the labels of a text A,B,C. A label may itself hold commas.

    Raises:
        InputError: what is no known label, with the nearest.
    """
    parts, found = text.split(","), list[str]()
    while parts:
        ends = range(len(parts), 0, -1)
        length = next((end for end in ends if ",".join(parts[:end]).strip() in known), None)
        if length is None:
            name = parts[0].strip()
            raise InputError(f"no label '{name}' to order by; {did_you_mean(name, known)}")
        found.append(",".join(parts[:length]).strip())
        parts = parts[length:]
    return found


def _inches(width: str | float) -> float:
    units = ", ".join(UNITS_PER_INCH)
    if isinstance(width, str):
        match = _LENGTH.fullmatch(width)
        if match is None or (match[2] or "in") not in UNITS_PER_INCH:
            raise InputError(
                f"a width is a number with one of the units {units}, such as 3.4in, got '{width}'"
            )
        inches = float(match[1]) / UNITS_PER_INCH[match[2] or "in"]
    else:
        inches = float(width)
    if not NARROWEST <= inches <= WIDEST:
        raise InputError(f"a width must lie between {NARROWEST:g}in and {WIDEST:g}in, got {width}")
    return inches


def _one_of(name: str, value: object, allowed: Sequence[object]) -> None:
    if value not in allowed or isinstance(value, bool):
        raise InputError(f"{name} must be {' or '.join(map(str, allowed))}, got {value!r}")


def _refuse_twice(name: str, values: Sequence[str]) -> None:
    twice = next((value for at, value in enumerate(values) if value in values[:at]), None)
    if twice is not None:
        raise InputError(f"{name} names '{twice}' twice; name it once")
