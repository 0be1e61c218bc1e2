"""Run folders of what was made elsewhere: networks that are judged here, and predictions alone.

They hold what every run folder holds, as far as it is known, so that they appear beside runs that were
trained here. What is not known (how it was trained, what it cost) is ``elsewhere`` or null, never guessed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rc_vs_snn import records
from rc_vs_snn.config import LONGEST, Part, slug
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.locks import locked_run
from rc_vs_snn.records.layout import ELSEWHERE, Made
from rc_vs_snn.records.provenance import provenance
from rc_vs_snn.registry import Registry
from rc_vs_snn.registry.values import is_whole

UNKNOWN_TRAINING = {"train_seconds": math.nan, "epochs_run": math.nan}


@dataclass(frozen=True)
class Named:
    """What a run folder of something made elsewhere is to be called.

    Attributes:
        label: its name in tables and figures.
        seed: which repetition it is.
        out: the folder of its run folder.
        overwrite: whether a run that was trained there is replaced.
    """

    label: str
    seed: int
    out: Path
    overwrite: bool = False

    def __post_init__(self) -> None:
        label = self.label
        if not isinstance(label, str) or not label.isprintable() or not 0 < len(slug(label)) <= LONGEST:
            raise InputError(f"label must be one line of text with letters or digits, got {label!r}")
        if not is_whole(self.seed):
            raise InputError(f"seed must be a whole number of at least 0, got {self.seed!r}")

    @property
    def folder(self) -> Path:
        """The run folder."""
        return Path(self.out) / f"{slug(self.label)}-seed{self.seed}"


def write_elsewhere(
    named: Named,
    parts: Mapping[str, Mapping[str, Any]],
    outcome: records.Result,
    made: Made,
    started: float,
    facts: Mapping[str, Any],
    packages: tuple[str, ...] = (),
) -> records.Record:
    """Write the run folder of something made elsewhere.

    Args:
        named: where, and under which label.
        parts: dataset, encoder, model and rule, each a table with a name; what is missing is ``elsewhere``.
        outcome: what it came to.
        made: how.
        started: when, in seconds since the epoch.
        facts: what else its provenance tells.
        packages: distributions it needed beside ours.

    Raises:
        InputError: the folder holds a trained run and may not be replaced, or cannot be written.
    """
    needed = ("dataset", "encoder", "model", "rule", "objective")
    table = {
        "label": named.label,
        "seed": int(named.seed),
        **{name: dict(parts.get(name, {"name": ELSEWHERE})) for name in needed},
        **{name: dict(part) for name, part in parts.items() if name not in needed},
    }
    with locked_run(named.folder):
        _require_replaceable(named)
        with records.atomic_folder(named.folder, replace=True, held=True) as working:
            origin = {
                "schema_version": records.SCHEMA_VERSION,
                "status": "done",
                "made": made,
                "seed": int(named.seed),
                **facts,
                **provenance(started, packages),
            }
            records.write_run(working, table, [], origin, outcome)
        return records.read_record(named.folder)


def _require_replaceable(named: Named) -> None:
    if named.overwrite or not (named.folder / records.PROVENANCE).is_file():
        return
    if records.read_record(named.folder).made == "trained":
        raise InputError(
            f"{named.folder} holds a run that was trained; choose another label or out, or overwrite it"
        )


def part_of(kind: Registry, value: Any) -> Part:
    """Return a plug-in as a part: by its registered name where it is an object of a registered class."""
    name = next((name for name in kind.names() if kind.get(name) is type(value)), None)
    if name is None:
        return Part.of(value)
    options = kind.options(name)
    fields = {key: getattr(value, key) for key in options if hasattr(value, key)}
    return Part(name, {key: field for key, field in fields.items() if field != options[key].default})
