"""Reading run folders: one as a record, or all below a folder."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load

from rc_vs_snn.contracts import Trace
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.records import layout


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
    def status(self) -> layout.Status:
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

    def metric(self, name: str) -> float:
        """Return a number of the operating point; NaN where this run has none.

        Raises:
            InputError: no run has a number of that name.
        """
        if name not in layout.NUMBERS:
            raise InputError(f"unknown metric '{name}'; {did_you_mean(name, layout.NUMBERS)}")
        return float(self.metrics.get(name, math.nan))

    def decisions(self) -> dict[str, np.ndarray]:
        """Return the per-sample test decisions by column.

        Columns: id, true_label, label, step, decided, tied, evidence, acs, macs, leaks.
        """
        table = pq.read_table(self.folder / layout.DECISIONS)
        return {name: table[name].to_numpy() for name in table.column_names}

    def trace(self) -> Trace:
        """Return evidence and cost of every test sample at every step.

        Raises:
            InputError: the file is missing or damaged.
        """
        path = self.folder / layout.TRACE
        try:
            # np.load leaves a damaged archive's file open when it opens the file itself
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return Trace(**{name: stored[name] for name in stored.files})
        except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy, each its own way
            raise InputError(
                f"{path} cannot be read ({error}); delete the run folder and run again"
            ) from error


def read_record(folder: Path | str) -> Record:
    """Read a run folder.

    Raises:
        InputError: no run folder there, a damaged file, or a newer schema.
    """
    folder = Path(folder)
    if not (folder / layout.PROVENANCE).is_file():
        raise InputError(f"{folder} is no run folder (no {layout.PROVENANCE}); give the folder of one run")
    try:
        parts = {name: json.loads((folder / name).read_text()) for name in layout.TABLES}
    except (OSError, json.JSONDecodeError) as error:
        raise InputError(f"run folder {folder} is damaged ({error}); delete it and run again") from error
    schema = parts[layout.PROVENANCE].get("schema_version")
    if schema not in layout.READABLE:
        raise InputError(
            f"run folder {folder} has schema {schema}, this version reads {layout.READABLE}; "
            "install the version that wrote it, or run again"
        )
    metrics = {name: math.nan if value is None else value for name, value in parts[layout.METRICS].items()}
    return Record(folder, parts[layout.CONFIG], parts[layout.HISTORY], metrics, parts[layout.PROVENANCE])


def find_records(root: Path | str) -> list[Record]:
    """Return every run folder at or directly below ``root``, sorted by name.

    Raises:
        InputError: ``root`` does not exist or holds no run folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root} does not exist; give a run folder or a folder of runs")
    candidates = [root, *sorted(path for path in root.iterdir() if not path.name.startswith("."))]
    found = [read_record(path) for path in candidates if (path / layout.PROVENANCE).is_file()]
    if not found:
        raise InputError(f"{root} holds no run folder; run `rc-vs-snn compare` or `train` first")
    return found


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Return stored parameters by name.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read weights {path}: {error.strerror}") from error
    except SafetensorError as error:
        raise InputError(f"weights {path} are damaged ({error}); run again") from error
