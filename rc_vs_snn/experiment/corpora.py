"""Corpora that a process has read already, kept for the next runs of the same command."""

import contextlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rc_vs_snn.config import Part, canonical
from rc_vs_snn.contracts import SPLITS, Splits

MOST = 2
"""Corpora kept in a process: those of a comparison that goes to and fro between two."""


@dataclass
class _Kept:
    """What is kept for one command: its corpora, each with a checksum of its arrays."""

    command: str | None = None
    corpora: dict[str, tuple[Splits, int]] = field(default_factory=dict)


_kept = _Kept()


def keep_corpora(command: str | None) -> None:
    """Keep corpora from now on, for one command; those of another are dropped. None: keep none."""
    if command != _kept.command:
        _kept.command, _kept.corpora = command, {}


@contextlib.contextmanager
def corpora_kept(command: str) -> Iterator[None]:
    """Keep corpora of one command, in its own process, until it has ended."""
    keep_corpora(command)
    try:
        yield
    finally:
        keep_corpora(None)


def corpus(part: Part, root: Path, load: Callable[[], Splits]) -> Splits:
    """Return what ``load`` returns, or what it has returned before for the same part and folder.

    Kept is only what lies in memory, of a part that can be told from others. Splits are handed out as they
    are; if somebody has written into them since, they are loaded again.
    """
    if _kept.command is None or not part.is_identified:
        return load()
    key = canonical({"dataset": part.to_table(), "root": str(root)})
    found = _kept.corpora.pop(key, None)
    if found is not None and _checksum(found[0]) == found[1]:
        _kept.corpora[key] = found  # the last that was used goes last
        return found[0]
    while len(_kept.corpora) >= MOST:
        del _kept.corpora[next(iter(_kept.corpora))]
    del found
    splits = load()
    if isinstance(splits, Splits) and all(_in_memory(splits, name) for name in SPLITS):
        _kept.corpora[key] = (splits, _checksum(splits))
    return splits


def _in_memory(splits: Splits, split: str) -> bool:
    return isinstance(getattr(splits, split).values, np.ndarray)


def _checksum(splits: Splits) -> int:
    found = 0
    for name in SPLITS:
        samples = getattr(splits, name)
        for array in (samples.values, samples.labels, samples.ids):
            for each in array if array.dtype == object else [array]:
                found = zlib.crc32(np.ascontiguousarray(each).reshape(-1).view(np.uint8).data, found)
    return found
