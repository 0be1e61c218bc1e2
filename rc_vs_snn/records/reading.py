"""Reading run folders: one as a record, or all below a folder."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow.parquet as pq
from pyarrow import ArrowException
from safetensors import SafetensorError
from safetensors.numpy import load

from rc_vs_snn.contracts import Trace
from rc_vs_snn.display import html_table, percent
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.records import layout
from rc_vs_snn.records.checking import damaged, missing, read_tables, require_files


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
    def made(self) -> layout.Made:
        """Return "trained", "judged" (made elsewhere, judged here) or "predictions" (nothing but these)."""
        return self.provenance.get("made", "trained")

    @property
    def label(self) -> str:
        """Return the model's name in tables and figures."""
        return self.config["label"]

    @property
    def seed(self) -> int:
        """Return the base seed."""
        return self.config["seed"]

    def _repr_html_(self) -> str:
        """Return what a notebook shows; see ``Records``."""
        return Records([self])._repr_html_()

    def metric(self, name: str) -> float:
        """Return a number of the operating point; NaN where this run has none.

        Raises:
            InputError: no run has a number of that name.
        """
        if name not in layout.NUMBERS and name not in self.metrics:
            raise InputError(f"unknown metric '{name}'; {did_you_mean(name, layout.NUMBERS)}")
        return float(self.metrics.get(name, math.nan))

    def decisions(self) -> dict[str, np.ndarray]:
        """Return the per-sample test decisions by column.

        Columns: id, true_label, label, step, decided, tied, evidence, acs, macs, leaks.

        Raises:
            MissingError: this run has none.
            InputError: the file is damaged.
        """
        path = self.folder / layout.DECISIONS
        try:
            table = pq.read_table(path)
            return {name: table[name].to_numpy() for name in table.column_names}
        except FileNotFoundError:
            raise missing(path) from None
        except (OSError, ValueError, ArrowException) as error:
            raise damaged(path, str(error)) from error

    def trace(self, split: Literal["valid", "test"] = "test") -> Trace:
        """Return readout, evidence and cost of every sample of a split at every step.

        Args:
            split: which samples. Runs written before they were kept have none of valid.

        Raises:
            MissingError: this run has none.
            InputError: the file is damaged.
        """
        path = self.folder / (layout.TRACE if split == "test" else layout.VALID_TRACE)
        if split == "valid" and not _is_file(path):
            raise InputError(
                f"{self.folder} holds no trace of valid; `rc-vs-snn calibrate` makes one from the weights"
            )
        try:
            # np.load leaves a damaged archive's file open when it opens the file itself
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
        except FileNotFoundError:
            raise missing(path) from None
        except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy, each its own way
            raise damaged(path, str(error)) from error
        if self.metrics.get("evidence") == "membrane":  # what is read as it is was written once
            arrays.setdefault("readouts", arrays["evidence"])
        return Trace(**arrays)

    def require_done(self) -> None:
        """Raise InputError unless the run is finished."""
        if self.status != "done":
            raise InputError(f"{self.folder} is a {self.status} run ({self.reason}); run it again first")

    def require_whole(self) -> None:
        """Raise InputError unless all that a finished run leaves behind is there and unharmed."""
        require_files(self.folder, self.provenance)
        if "files" not in self.provenance:  # an older run, whose files have no checksums
            self.decisions()
            self.trace()
            read_weights(self.folder / layout.WEIGHTS)


class Records(list[Record]):
    """A list of runs; a notebook shows it as a table with a line for each."""

    def _repr_html_(self) -> str:
        head = ("model", "seed", "accuracy", "mean step", "forced", "parameters", "run folder")
        says = f"{len(self)} run{'s' * (len(self) != 1)}"
        return html_table(says, head, [_line(record) for record in self])


def _line(record: Record) -> list[object]:
    found = record.metrics
    if record.status != "done":
        numbers: list[object] = [f"{record.status}: {record.reason}", "", "", ""]
    else:
        numbers = [
            percent(record.metric("accuracy")),
            f"{record.metric('mean_step'):.2f} of 0..{found['n_steps'] - 1}",
            percent(record.metric("forced")),
            f"{found['parameters']:,}",
        ]
    return [record.label, record.seed, *numbers, record.folder]


def read_record(folder: Path | str, *, quick: bool = False) -> Record:
    """Read a run folder and check its files against the checksums that were written with them.

    Files of a run that a copy was left without (its trace, its weights) are missed by what reads them.

    Args:
        folder: of the run.
        quick: whether only files are checked so that are not of the size and the time of change that they had
            when they were written: those that were touched, or copied.

    Raises:
        InputError: no run folder there, a damaged file, or a newer schema.
    """
    folder = Path(folder)
    if not _is_file(folder / layout.PROVENANCE):
        raise InputError(f"{folder} is no run folder (no {layout.PROVENANCE}); give the folder of one run")
    tables = read_tables(folder, quick)
    metrics = {name: math.nan if value is None else value for name, value in tables[layout.METRICS].items()}
    return Record(folder, tables[layout.CONFIG], tables[layout.HISTORY], metrics, tables[layout.PROVENANCE])


def find_records(root: Path | str) -> Records:
    """Return every run folder at or directly below ``root``, in the order of the comparison they are of.

    Runs that record no order (of a comparison that was stopped) come last, as they were started.

    Raises:
        InputError: ``root`` does not exist or holds no run folder, or one in it is damaged.
    """
    root = Path(root)
    try:
        below = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"
        raise InputError(f"{root} {why}; give a run folder or a folder of runs") from error
    found = [read_record(path) for path in (root, *below) if _left_by_a_run(path)]
    if not found:
        raise InputError(f"{root} holds no run folder; run `rc-vs-snn compare` or `train` first")
    return Records(sorted(found, key=_order))


def _order(record: Record) -> tuple[float, str, str]:
    order = record.provenance.get("order", math.inf)
    return order, str(record.provenance.get("started", "")), record.folder.name


def _left_by_a_run(folder: Path) -> bool:
    # A folder that has lost its marker but kept its results is damaged, and must not go missing in silence.
    names = (layout.PROVENANCE, layout.HISTORY, layout.DECISIONS, layout.TRACE)
    return any(_is_file(folder / name) for name in names)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; give another folder") from error


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Return stored parameters by name.

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        return load(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read weights {path}: {getattr(error, 'strerror', error)}") from error
    except SafetensorError as error:
        raise damaged(path, str(error)) from error
