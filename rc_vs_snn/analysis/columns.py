"""The one form in which numbers travel from a record to a figure, a CSV file or a summary."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rc_vs_snn.errors import InputError


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length.

    Attributes:
        columns: one-dimensional arrays by name, in the order they are written.

    Raises:
        InputError: columns of unequal length or of more than one dimension.
    """

    columns: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        columns = {name: np.asarray(values) for name, values in self.columns.items()}
        if any(values.ndim != 1 for values in columns.values()) or len(set(map(len, columns.values()))) > 1:
            shapes = {name: values.shape for name, values in columns.items()}
            raise InputError(f"the columns of a table must be one-dimensional and equally long, got {shapes}")
        object.__setattr__(self, "columns", columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self.columns[name]

    def __len__(self) -> int:
        return max(map(len, self.columns.values()), default=0)

    def where(self, **values: Any) -> "Table":
        """Return the rows in which every named column has the given value."""
        keep = np.ones(len(self), dtype=bool)
        for name, value in values.items():
            keep &= self.columns[name] == value
        return self.rows(keep)

    def rows(self, chosen: np.ndarray) -> "Table":
        """Return the rows at ``chosen`` (indices or a mask), in that order."""
        return Table({name: values[chosen] for name, values in self.columns.items()})

    def tagged(self, **constants: Any) -> "Table":
        """Return the table with constant columns put in front."""
        front = {name: np.full(len(self), value) for name, value in constants.items()}
        return Table({**front, **self.columns})

    def distinct(self, name: str) -> list[Any]:
        """Return the different values of a column as plain values, in order of first appearance."""
        return list(dict.fromkeys(self.columns[name].tolist()))

    def write_csv(self, target: io.TextIOBase | io.StringIO) -> None:
        """Write a header and one line per row; NaN becomes an empty cell."""
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self._cells())

    def _cells(self) -> Iterator[Sequence[Any]]:
        plain = [values.tolist() for values in self.columns.values()]
        for row in zip(*plain, strict=True):
            yield ["" if value != value else value for value in row]


def stack(tables: Sequence[Table]) -> Table:
    """Return the rows of several tables below each other; a column a table lacks is NaN there."""
    names = dict.fromkeys(name for table in tables for name in table.columns)
    return Table(
        {
            name: np.concatenate([table.columns.get(name, np.full(len(table), np.nan)) for table in tables])
            for name in names
        }
    )
