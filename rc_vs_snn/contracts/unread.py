"""Samples that are read when they are asked for, so that a corpus need not fit into memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rc_vs_snn.errors import InputError


def is_unread(values: Any) -> bool:
    """Return whether samples are to be read one by one: files, memory-mapped and HDF5 arrays."""
    if isinstance(values, Unread | np.memmap):
        return True
    if isinstance(values, list | tuple | str | bytes) or not hasattr(values, "__getitem__"):
        return False
    on_disk = type(values).__module__.partition(".")[0] in ("h5py", "zarr")
    return on_disk or (hasattr(values, "__len__") and not hasattr(values, "__array__"))


class Unread:
    """N samples, or some of them in an order of their own, of which none has been read.

    Args:
        source: has a length and hands out sample i as ``source[i]``.
        rows: which of them, ``(N,)``; all where it is left out.
    """

    def __init__(self, source: Any, rows: np.ndarray | None = None) -> None:
        if isinstance(source, Unread):
            source, rows = source.source, source.rows if rows is None else source.rows[rows]
        self.source: Any = source
        self.rows = np.arange(len(source)) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray | Sequence[int] | slice) -> "Unread":
        """Return those at ``rows``, still unread."""
        return Unread(self.source, self.rows[rows])

    def read(self) -> list[np.ndarray]:
        """Return the samples as arrays, which the caller checks.

        Raises:
            InputError: one cannot be read; the error says which.
        """
        found = []
        for row in self.rows.tolist():
            try:
                found.append(np.asarray(self.source[row]))
            except InputError:
                raise
            except Exception as error:  # whatever a reader of files raises
                raise InputError(f"sample {row} cannot be read ({type(error).__name__}: {error})") from error
        return found
