"""What the files of a run folder must be; checked before anything is made of them."""

import errno
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from rc_vs_snn.config import OPTIONAL, PART_NAMES, slug
from rc_vs_snn.errors import DamagedError, InputError, MissingError
from rc_vs_snn.records import layout

NEEDED_PARTS = tuple(name for name in PART_NAMES if name not in OPTIONAL)
NEEDED_FILES = (layout.DECISIONS, layout.TRACE, layout.WEIGHTS)
NEEDED_NUMBERS = ("accuracy", "mean_step", "n_samples", "n_steps")
OTHER_METRICS = ("evidence", "neurobench")
"""What in the metrics is no number: a name, and a table."""
NEEDED_IN_HISTORY = ("epoch", "valid_accuracy", "valid_mean_step")


def damaged(path: Path, why: str) -> DamagedError:
    """Return the error of a file that is not what was written: which, why, and what to do."""
    return DamagedError(_told(path, why))


def missing(path: Path) -> MissingError:
    """Return the error of a file that is not there, of a kind that some readers can do without."""
    return MissingError(_told(path, "it is missing"), path.name)


def _told(path: Path, why: str) -> str:
    return (
        f"{path} is damaged ({why}); put back the file as it was written, or delete the folder and run again"
    )


def checksum(path: Path) -> str:
    """Return a file's SHA-256 as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    """Return the checksum of every file in a run folder but the marker, which holds them, and the card."""
    names = sorted(layout.FILES - {layout.PROVENANCE, layout.CARD})
    return {name: checksum(folder / name) for name in names if (folder / name).is_file()}


def sizes_and_times(folder: Path, names: Iterable[str]) -> dict[str, list[int]]:
    """Return size (bytes) and time of change (ns) of files in a run folder."""
    return {name: _size_and_time(folder / name) for name in names}


def _size_and_time(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def read_tables(folder: Path, quick: bool = False) -> dict[str, Any]:
    """Return the JSON files of a run folder by name, each of the right shape.

    Args:
        folder: of the run.
        quick: whether a file that has the size and the time of change that the marker records is taken as the
            one that was written; else its checksum tells.

    Raises:
        InputError: naming the file that is missing or damaged, and how.
    """
    tables = {name: _json(folder / name) for name in reversed(layout.TABLES)}  # the marker first
    _check_marker(folder / layout.PROVENANCE, tables[layout.PROVENANCE])
    _check_files(folder, tables[layout.PROVENANCE], quick)
    _check_config(folder / layout.CONFIG, tables[layout.CONFIG])
    done = tables[layout.PROVENANCE]["status"] == "done"
    _check_history(folder / layout.HISTORY, tables[layout.HISTORY])
    _check_metrics(folder / layout.METRICS, tables[layout.METRICS], done)
    return tables


def read_marker(folder: Path) -> dict[str, Any]:
    """Return the marker of a run folder alone, after a quick look at the files that it names.

    Raises:
        InputError: as ``read_tables``; or the run is done and a file is missing.
    """
    marker: dict[str, Any] = _json(folder / layout.PROVENANCE)
    _check_marker(folder / layout.PROVENANCE, marker)
    _check_files(folder, marker, quick=True)
    if marker["status"] == "done":
        require_files(folder, marker)
    return marker


def require_files(folder: Path, marker: Mapping[str, Any]) -> None:
    """Raise DamagedError unless every file is there that a finished run leaves behind."""
    made = marker.get("made", "trained")
    found = marker.get("files", ()) if made == "predictions" else NEEDED_FILES
    for name in found:
        if not (folder / name).is_file():
            raise damaged(folder / name, "it is missing")


def _check_files(folder: Path, marker: Mapping[str, Any], quick: bool) -> None:
    as_written = marker.get("written", {}) if quick else {}
    for name, written in marker.get("files", {}).items():
        file = folder / name
        if (
            file.is_file()
            and not (name in as_written and as_written[name] == _size_and_time(file))
            and checksum(file) != written
        ):
            raise damaged(file, f"its checksum is not the one that {layout.PROVENANCE} records")


def _json(path: Path) -> Any:
    try:
        return json.loads(_text(path), parse_constant=_refuse)
    except FileNotFoundError:
        raise damaged(path, "it is missing") from None
    except OSError as error:
        raise damaged(path, error.strerror or str(error)) from error
    except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested without end
        raise damaged(path, f"it is no JSON: {error}") from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        return path.read_text(encoding="utf-8-sig")  # another machine has replaced the folder meanwhile


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not in JSON")


def _require(holds: bool, path: Path, what: str, got: Any) -> None:
    if not holds:
        text = repr(got)
        raise damaged(path, f"{what}, got {text if len(text) < 60 else text[:60] + '...'}")


def _check_marker(path: Path, table: Any) -> None:
    _require(isinstance(table, dict), path, "it must be a table", table)
    schema = table.get("schema_version")
    if schema not in layout.READABLE:
        raise InputError(
            f"run folder {path.parent} has schema {schema}, this version reads {layout.READABLE}; "
            "install the version that wrote it, or run again"
        )
    status = table.get("status")
    _require(status in get_args(layout.Status), path, "status must be done, failed or skipped", status)
    made = table.get("made", "trained")
    _require(made in get_args(layout.Made), path, "made must be trained, judged or predictions", made)
    kinds: dict[str, type] = {
        "reason": str, "command": str, "files": dict, "code": dict, "packages": dict, "hardware": dict,
        "code_identities": dict, "order": int, "export": dict, "written": dict,
    }  # fmt: skip
    for key, kind in kinds.items():
        if key in table:
            _require(isinstance(table[key], kind), path, f"{key} must be {kind.__name__}", table[key])
    for name, written in table.get("files", {}).items():
        known = name in layout.FILES and isinstance(written, str)
        _require(known, path, "files must give checksums by name", name)


def _check_config(path: Path, table: Any) -> None:
    _require(isinstance(table, dict), path, "it must be a table", table)
    label, seed = table.get("label"), table.get("seed")
    _require(isinstance(label, str) and bool(slug(label)), path, "label must be a text", label)
    _require(type(seed) is int and seed >= 0, path, "seed must be a whole number of at least 0", seed)
    for name in NEEDED_PARTS:
        part = table.get(name)
        named = isinstance(part, dict) and isinstance(part.get("name"), str)
        _require(named, path, f"{name} must be a table with a name", part)


def _check_history(path: Path, entries: Any) -> None:
    _require(isinstance(entries, list), path, "it must be a list of epochs", entries)
    for entry in entries:
        _require(isinstance(entry, dict), path, "an epoch must be a table", entry)
        missing = [name for name in NEEDED_IN_HISTORY if name not in entry]
        _require(not missing, path, f"an epoch lacks {', '.join(missing)}", entry)
        _check_numbers(path, entry)
        _require(entry["epoch"] is not None, path, "epoch must be a number", None)


def _check_metrics(path: Path, table: Any, done: bool) -> None:
    _require(isinstance(table, dict), path, "it must be a table", table)
    _check_numbers(path, {name: value for name, value in table.items() if name not in OTHER_METRICS})
    _check_neurobench(path, table.get("neurobench", {}))
    if done:
        evidence = table.get("evidence")
        _require(isinstance(evidence, str) and bool(evidence), path, "evidence must be named", evidence)
        for name in NEEDED_NUMBERS:
            _require(table.get(name) is not None, path, f"{name} must be a number", table.get(name))


def _check_neurobench(path: Path, table: Any) -> None:
    _require(isinstance(table, dict), path, "neurobench must be a table", table)
    parts = {name: value for name, value in table.items() if isinstance(value, dict)}
    for numbers in (*parts.values(), {name: value for name, value in table.items() if name not in parts}):
        _check_numbers(path, numbers)


def _check_numbers(path: Path, table: Mapping[str, Any]) -> None:
    for name, value in table.items():
        number = isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300
        _require(number or value is None, path, f"{name} must be a number", value)
