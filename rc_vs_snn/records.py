"""Run folders: everything one run left behind, as plain files. Written whole, then renamed. No pickle.

- ``config.json``: the full run configuration
- ``history.json``: one entry per epoch
- ``decisions.parquet``: one row per test sample
- ``trace.npz``: evidence and cost of every test sample at every step
- ``metrics.json``: the numbers of the operating point
- ``weights.safetensors``: the trained parameters
- ``provenance.json``: schema, status, seeds, code version, packages, hardware
"""

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.errors import InputError

SCHEMA_VERSION = 1
Status = Literal["done", "failed", "skipped"]

CONFIG = "config.json"
HISTORY = "history.json"
DECISIONS = "decisions.parquet"
TRACE = "trace.npz"
METRICS = "metrics.json"
WEIGHTS = "weights.safetensors"
PROVENANCE = "provenance.json"


@dataclass(frozen=True, eq=False)
class Record:
    """One run folder, read back.

    Attributes:
        folder: where it lies.
        config: the run configuration as nested plain values.
        history: one mapping per epoch.
        metrics: numbers of the operating point (empty unless done).
        provenance: schema, status, seeds, code version, packages, hardware.
    """

    folder: Path
    config: dict[str, Any]
    history: list[dict[str, Any]]
    metrics: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def status(self) -> Status:
        """Return "done", "failed" or "skipped"; only "done" counts as a finished run."""
        return self.provenance["status"]

    @property
    def reason(self) -> str:
        """Return why the run failed or was skipped ("" when done)."""
        return self.provenance.get("reason", "")

    @property
    def label(self) -> str:
        """Return the model's name in tables and figures."""
        return self.config["label"]

    @property
    def seed(self) -> int:
        """Return the base seed."""
        return self.config["seed"]

    def decisions(self) -> dict[str, np.ndarray]:
        """Return the per-sample test decisions by column.

        Columns: id, true_label, label, step, decided, tied, evidence, acs, macs, leaks.
        """
        table = pq.read_table(self.folder / DECISIONS)
        return {name: table[name].to_numpy() for name in table.column_names}

    def trace(self) -> Trace:
        """Return evidence and cost of every test sample at every step."""
        # np.load leaves a damaged archive's file open when it opens the file itself
        with (self.folder / TRACE).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return Trace(**{name: stored[name] for name in stored.files})


def read_record(folder: Path | str) -> Record:
    """Read a run folder.

    Raises:
        InputError: no run folder there, a damaged file, or a newer schema.
    """
    folder = Path(folder)
    if not (folder / PROVENANCE).is_file():
        raise InputError(f"{folder} is no run folder (no {PROVENANCE}); give the folder of one run")
    try:
        parts = {
            name: json.loads((folder / name).read_text()) for name in (CONFIG, HISTORY, METRICS, PROVENANCE)
        }
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"run folder {folder} is damaged ({error}); delete it and run again") from error
    schema = parts[PROVENANCE].get("schema_version")
    if schema != SCHEMA_VERSION:
        raise InputError(
            f"run folder {folder} has schema {schema}, this version reads {SCHEMA_VERSION}; "
            "install the version that wrote it, or run again"
        )
    metrics = {name: math.nan if value is None else value for name, value in parts[METRICS].items()}
    return Record(folder, parts[CONFIG], parts[HISTORY], metrics, parts[PROVENANCE])


def find_records(root: Path | str) -> list[Record]:
    """Return every run folder at or directly below ``root``, sorted by name.

    Raises:
        InputError: ``root`` does not exist or holds no run folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root} does not exist; give a run folder or a folder of runs")
    candidates = [root, *sorted(path for path in root.iterdir() if not path.name.startswith("."))]
    found = [read_record(path) for path in candidates if (path / PROVENANCE).is_file()]
    if not found:
        raise InputError(f"{root} holds no run folder; run `rc-vs-snn compare` or `train` first")
    return found


def write_json(path: Path, value: Any) -> None:
    """Write plain values as indented JSON; NaN, which JSON has not, is written as null."""
    path.write_text(json.dumps(_nan_to_none(value), indent=2, allow_nan=False) + "\n")


def _nan_to_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nan_to_none(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_to_none(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def write_decisions(path: Path, trace: Trace, decision: Decision) -> None:
    """Write one row per sample as Parquet."""
    rows = np.arange(len(trace))
    columns = {
        "id": trace.ids,
        "true_label": trace.labels,
        **vars(decision),
        "acs": trace.acs[rows, decision.step],
        "macs": trace.macs[rows, decision.step],
        "leaks": trace.leaks[rows, decision.step],
    }
    pq.write_table(pa.table(columns), path)


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace as compressed arrays."""
    np.savez_compressed(path, **vars(trace))


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a hidden working folder beside ``target`` and rename it to ``target`` on success.

    On any error or interruption the working folder is removed and ``target`` is as it was.

    Args:
        target: the final folder.
        replace: whether an existing ``target`` is replaced.

    Raises:
        InputError: ``target`` exists and may not be replaced, or its parent cannot be written.
    """
    target = Path(target)
    if target.exists() and not replace:
        raise InputError(f"{target} exists already; choose another --out or delete it")
    working = target.parent / f".{target.name}.partial-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(target)
        working.mkdir()
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror or error}; choose a writable --out with free space"
        ) from error
    try:
        yield working
        if target.exists():
            shutil.rmtree(target)
        working.rename(target)
    except OSError as error:
        raise InputError(
            f"writing {target} failed: {error.strerror or error}; nothing was kept there, free some space or "
            "choose another --out"
        ) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)


def require_space(folder: Path, n_bytes: int) -> None:
    """Raise InputError if the disk of ``folder`` has fewer than ``n_bytes`` free.

    Asked before a training, so that hours of it are not lost to a full disk at the end.
    """
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise InputError(
            f"{folder.parent} has {free / 1e6:.0f} MB free and a run needs about {n_bytes / 1e6:.0f} MB; "
            "free some space or choose another --out"
        )


def _clear_leftovers(target: Path) -> None:
    """Remove working folders of ``target`` whose process is gone (killed before it could clean up)."""
    for leftover in target.parent.glob(f".{target.name}.partial-*"):
        owner = leftover.name.rpartition("-")[2]
        if not _is_alive(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is there, but not ours
        return True
    return True
