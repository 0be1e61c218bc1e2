"""Which runs are meant to be in a folder: a small file for every comparison, or part of one, that was begun.

A plan's name is made of its content, so that many commands may write into one folder: two that mean the same
runs write the same file, two that do not write two.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rc_vs_snn.errors import InputError
from rc_vs_snn.records.folders import write_whole

PLAN = ".plan-{}.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Meant:
    """A run that is meant.

    Attributes:
        folder: its name.
        label, seed: of its configuration.
        epochs: of its training.
    """

    folder: str
    label: str
    seed: int
    epochs: int


def write_plan(folder: Path, runs: Sequence[Meant]) -> None:
    """Keep which runs a command means to make in a folder.

    Raises:
        InputError: the folder cannot be written.
    """
    table = {"schema_version": SCHEMA_VERSION, "runs": [asdict(run) for run in runs]}
    text = json.dumps(table, separators=(",", ":")) + "\n"
    path = folder / PLAN.format(hashlib.sha256(text.encode()).hexdigest()[:16])
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, text)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}; choose a writable --out with free space"
        ) from error


def is_plan(name: str) -> bool:
    """Return whether a file of that name is a plan."""
    before, _, after = PLAN.partition("{}")
    return name.startswith(before) and name.endswith(after)


def read_plan(path: Path) -> list[Meant]:
    """Return the runs of a plan; none if it is damaged, or of a version to come."""
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["schema_version"] == SCHEMA_VERSION:
            return list(_checked(table["runs"]))
    return []


def _checked(runs: list[dict]) -> Iterator[Meant]:
    for run in runs:
        found = Meant(**run)
        if type(found.seed) is int and type(found.epochs) is int and Path(found.folder).name == found.folder:
            yield found
