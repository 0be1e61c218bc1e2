"""A stored run made again from its record, and what differs: where it was made, and what came out."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn.config import differences
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.judging import stored_config
from rc_vs_snn.experiment.locks import locked_run
from rc_vs_snn.experiment.progress import Progress
from rc_vs_snn.experiment.running import train_and_judge
from rc_vs_snn.records import WEIGHTS, Record, read_weights

ORIGIN = ("code", "python", "packages", "hardware", "threads", "device", "code_identities")
TIMES = ("train_seconds",)
"""Metrics of the machine, in which no two runs agree."""
DECIDED = ("label", "step", "decided", "tied", "evidence")


@dataclass(frozen=True)
class Rerun:
    """What differs between a run and its repetition; each text says ``what: then -> now``.

    Attributes:
        record: the repetition.
        origin: code version, packages, Python, hardware, threads, device.
        config: the configuration.
        metrics: the numbers of the operating point, times left out.
        n_samples: how many decisions there are.
        otherwise: how many of them differ in any of label, step, decided, tied, evidence, and in each.
        weights: tensors that differ, each with the largest difference; None where it is of another shape.
        first_epoch: the first epoch whose loss or accuracy differs; None if none does.
    """

    record: Record
    origin: tuple[str, ...]
    config: tuple[str, ...]
    metrics: tuple[str, ...]
    n_samples: int
    otherwise: Mapping[str, int]
    weights: Mapping[str, float | None]
    first_epoch: int | None

    @property
    def is_equal(self) -> bool:
        """Whether all that came out is the same, to the bit."""
        return not (self.metrics or self.weights or any(self.otherwise.values()))


def rerun(
    record: Record,
    out: Path | str,
    execution: Execution | None = None,
    *,
    threads: int | None = None,
    device: str | None = None,
    replace: bool = False,
    progress: Progress | None = None,
) -> Rerun:
    """Make a finished run again and say what differs.

    Args:
        record: the run.
        out: the run folder to make.
        execution: where the corpora lie, and whether code that the run names by its path may run.
        threads: of torch (default: as many as the run had).
        device: what the model is on (default: what the run's was on).
        replace: whether a run in ``out`` is replaced.
        progress: shows what is going on.

    Raises:
        InputError: the run is not finished, was not trained there, cannot be made here, or failed this time.
    """
    config = stored_config(record, execution or Execution())
    _require_trained(record)
    out = Path(out).absolute()
    if out == record.folder.absolute():
        raise InputError(f"{out} is the run itself; choose another --out")
    then = record.provenance
    here = Execution(
        device or str(then.get("device", "cpu")),
        int(then.get("threads", 1)) if threads is None else threads,
        execution.data_root if execution else None,
    )
    shown = progress or Progress()
    with shown.session([config], [config]), locked_run(out), shown.watching(config, out) as watch:
        again = train_and_judge(config, out, here, replace=replace, report=watch.batch, on_epoch=watch.epoch)
    if again.status != "done":
        raise InputError(f"{out} {again.status}, which the run did not ({again.reason}); see its history")
    return compared(record, again)


def _require_trained(record: Record) -> None:
    record.require_done()
    kinds = {"export": "a model kept by `export`", "weights": "of stored weights that were judged"}
    for key, what in kinds.items():
        if key in record.provenance:
            raise InputError(f"{record.folder} is {what}: nothing was trained there; give the run that was")
    record.require_whole()


def compared(then: Record, now: Record) -> Rerun:
    """Return what differs between two runs that are meant to be the same."""
    origin, origin_now = ({key: run.provenance.get(key) for key in ORIGIN} for run in (then, now))
    metrics, metrics_now = (_without(run.metrics, TIMES) for run in (then, now))
    n_samples, otherwise = _decided_otherwise(then.decisions(), now.decisions())
    return Rerun(
        record=now,
        origin=tuple(differences(origin, origin_now)),
        config=tuple(differences(then.config, now.config)),
        metrics=tuple(differences(metrics, metrics_now)),
        n_samples=n_samples,
        otherwise=otherwise,
        weights=dict(_weights_apart(then.folder / WEIGHTS, now.folder / WEIGHTS)),
        first_epoch=_first_epoch_apart(then.history, now.history),
    )


def _decided_otherwise(
    then: Mapping[str, np.ndarray], now: Mapping[str, np.ndarray]
) -> tuple[int, dict[str, int]]:
    n_samples = len(then["id"])
    if not np.array_equal(then["id"], now["id"]):  # other samples: the corpus is another one
        return n_samples, {"any": n_samples}
    apart = {name: ~_same(then[name], now[name]) for name in DECIDED if name in then and name in now}
    anything = np.any(list(apart.values()), axis=0)
    return n_samples, {"any": int(anything.sum()), **{name: int(each.sum()) for name, each in apart.items()}}


def _same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return where two arrays hold the same, NaN like any value."""
    same = one == other
    if np.issubdtype(one.dtype, np.floating) and np.issubdtype(other.dtype, np.floating):
        same = same | (np.isnan(one) & np.isnan(other))
    return np.asarray(same)


def _weights_apart(then: Path, now: Path) -> Iterator[tuple[str, float | None]]:
    """Yield every tensor that differs, with the largest difference; see ``Rerun``."""
    one, other = read_weights(then), read_weights(now)
    for name in sorted({*one, *other}):
        a, b = one.get(name), other.get(name)
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            yield name, None
        elif a.tobytes() != b.tobytes():
            with np.errstate(all="ignore"):
                yield name, float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64))))


def _first_epoch_apart(then: list[dict[str, Any]], now: list[dict[str, Any]]) -> int | None:
    nothing: dict[str, Any] = {}
    for number, (one, other) in enumerate(itertools.zip_longest(then, now, fillvalue=nothing)):
        if next(differences(_without(one, ("seconds",)), _without(other, ("seconds",))), None):
            return number
    return None


def _without(table: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}
