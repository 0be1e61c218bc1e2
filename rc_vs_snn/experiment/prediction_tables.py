"""Decisions made elsewhere, as a table: one row a sample, CSV or Parquet."""

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.truth import Truth

NEEDED = ("id", "step", "label")
COSTS = ("acs", "macs", "leaks")
COLUMNS = (*NEEDED, "evidence", "true_label", "decided", *COSTS)
WHOLE = ("id", "step", "label", "true_label")
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class _Source:
    """A table as it was read.

    Attributes:
        path: the file.
        columns: values by column, texts of a CSV or values of a Parquet file.
        places: what an error calls each row: the line of a CSV file, or the row.
    """

    path: Path
    columns: Mapping[str, Sequence[Any]]
    places: Sequence[str]

    def fault(self, row: int, column: str, what: str) -> InputError:
        """Return the error of one value."""
        return InputError(f"{self.path}, {self.places[row]}, column {column}: {what}")


def read_table(path: Path, truth: Truth | None, n_steps: int | None) -> dict[str, np.ndarray]:
    """Return the checked columns of a file, samples in the order of the labels that were given.

    Args:
        path: a ``.csv`` or ``.parquet`` file.
        truth: the true labels, if they are not in the file.
        n_steps: the number of steps T.

    Returns:
        ``id``, ``step``, ``label``, ``true_label``, ``decided``, and what else there is, ``(N,)`` each.

    Raises:
        InputError: naming the row (of a CSV the line of the file) and the column.
    """
    source = _csv(path) if path.suffix == ".csv" else _parquet(path)
    _check_header(source)
    if not len(source.places):
        raise InputError(f"{path} holds no row below its header; there is one for each sample")
    found = {name: _column(source, name) for name in source.columns}
    _check_ids(source, found["id"])
    _check_range(source, found["label"], "label", truth.n_classes if truth else None, "a class")
    if n_steps is None:
        raise InputError(
            f"{path}: the number of steps T is not in it (the latest decision is at step "
            f"{found['step'].max()}); say it by n_steps= or --n-steps"
        )
    _check_range(source, found["step"], "step", n_steps, "a decision step, 0-based,")
    if truth is not None:
        order = truth.order_of(found["id"], lambda row: f"{path}, {source.places[row]}, column id")
        if "true_label" in found:
            _check_agreement(source, found["true_label"], order, truth)
        found = {name: values[order] for name, values in found.items()} | {"true_label": truth.labels}
    if "true_label" not in found:
        raise InputError(f"{path} has no column true_label; give the true labels by labels=")
    _check_range(source, found["true_label"], "true_label", None, "a class")
    return {"decided": np.ones(len(found["id"]), bool), **found}


def _csv(path: Path) -> _Source:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no CSV file in UTF-8: {error}") from error
    if not header:
        raise InputError(f"{path} is empty; its first line names the columns: {', '.join(COLUMNS)}")
    for line, row in lines:
        if len(row) != len(header):
            raise InputError(f"{path}, line {line}: {len(row)} values for {len(header)} columns")
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}, line 1: the column {twice!r} is there twice")
    columns = {name: [row[at].strip() for _, row in lines] for at, name in enumerate(header)}
    return _Source(path, columns, [f"line {line}" for line, _ in lines])


def _parquet(path: Path) -> _Source:
    try:
        table = pq.read_table(path)
    except FileNotFoundError:
        raise InputError(f"cannot read {path}: no such file") from None
    except Exception as error:  # pyarrow raises errors of many kinds
        raise InputError(f"{path} is no Parquet file: {' '.join(str(error).split())[:200]}") from error
    columns = {name: table[name].to_pylist() for name in table.column_names}
    return _Source(path, columns, [f"row {row}" for row in range(table.num_rows)])


def _check_header(source: _Source) -> None:
    missing = [name for name in NEEDED if name not in source.columns]
    unknown = [name for name in source.columns if name not in COLUMNS]
    if unknown:
        raise InputError(f"{source.path}: unknown column {unknown[0]!r}; {did_you_mean(unknown[0], COLUMNS)}")
    if missing:
        raise InputError(
            f"{source.path} lacks the column {missing[0]}; it needs {', '.join(NEEDED)}, and has "
            f"{', '.join(source.columns)}"
        )


def _column(source: _Source, name: str) -> np.ndarray:
    read: Callable[[Any], Any] = _whole if name in WHOLE else _boolean if name == "decided" else _number
    kind = np.int64 if name in WHOLE else bool if name == "decided" else np.float64
    return np.array(list(_read(source, name, read)), kind)


def _read(source: _Source, name: str, read: Callable[[Any], Any]) -> Iterator[Any]:
    for row, value in enumerate(source.columns[name]):
        try:
            found = read(value)
        except (ValueError, TypeError, OverflowError):
            what = (
                "whole number" if read is _whole else "true or false" if read is _boolean else "finite number"
            )
            said = "nothing" if value in ("", None) else repr(value)
            raise source.fault(row, name, f"{said} is no {what}") from None
        if (name in COSTS or name == "id") and found < 0:
            raise source.fault(row, name, f"{found:g} is below 0")
        yield found


def _whole(value: Any) -> int:
    if isinstance(value, str):
        if not value.lstrip("-").isdecimal():
            raise ValueError
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > np.iinfo(np.int64).max:
        raise ValueError
    return value


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in BOOLEANS:
        raise ValueError
    return BOOLEANS[value.lower()]


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError
    found = float(value)
    if not math.isfinite(found):
        raise ValueError
    return found


def _check_ids(source: _Source, ids: np.ndarray) -> None:
    first: dict[int, int] = {}
    for row, each in enumerate(ids.tolist()):
        if each in first:
            told = f"{each} is there already ({source.places[first[each]]}); each sample is decided once"
            raise source.fault(row, "id", told)
        first[each] = row


def _check_range(source: _Source, values: np.ndarray, name: str, below: int | None, what: str) -> None:
    outside = (values < 0) | (values >= below) if below is not None else values < 0
    if outside.any():
        row = int(outside.argmax())
        allowed = f"lies in 0..{below - 1}" if below is not None else "is at least 0"
        raise source.fault(row, name, f"{what} {allowed}, got {values[row]}")


def _check_agreement(source: _Source, own: np.ndarray, order: np.ndarray, truth: Truth) -> None:
    differs = own[order] != truth.labels
    if differs.any():
        place = int(differs.argmax())
        row = int(order[place])
        raise source.fault(row, "true_label", f"{own[row]}, and {truth.labels[place]} in labels=")
