"""Readouts made elsewhere, as arrays: ``.npy`` of ``(T, N, K)``, or ``.npz`` with labels, ids and costs."""

from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.truth import Truth

READOUTS = "readouts"
PER_SAMPLE = ("labels", "ids", "lengths")
PER_STEP = ("acs", "macs", "leaks", "input_events")
ARRAYS = (READOUTS, *PER_SAMPLE, *PER_STEP)


def read_arrays(path: Path, truth: Truth | None) -> dict[str, np.ndarray]:
    """Return the checked arrays of a file, samples in the order of the labels that were given.

    Args:
        path: a ``.npy`` or ``.npz`` file.
        truth: the true labels, if they are not in the file.

    Returns:
        ``readouts`` (N, T, K) float32, ``labels``, ``ids`` and ``lengths`` (N,), and the costs that there
        are, (N, T) float64 each. Behind a sample's length all is as at its last step.

    Raises:
        InputError: naming the array and the place in it.
    """
    arrays = _loaded(path)
    unknown = [name for name in arrays if name not in ARRAYS]
    if unknown:
        raise InputError(f"{path}: unknown array '{unknown[0]}'; {did_you_mean(unknown[0], ARRAYS)}")
    if READOUTS not in arrays:
        raise InputError(f"{path} holds no array '{READOUTS}' of shape (T, N, K); it holds {list(arrays)}")
    n_steps, n_samples, n_classes = _shape(path, arrays[READOUTS])
    found: dict[str, np.ndarray] = {"lengths": np.full(n_samples, n_steps)}
    for name in PER_SAMPLE:
        if name in arrays:
            found[name] = _whole(path, name, arrays[name], n_samples)
    _check_range(path, "lengths", found["lengths"], 1, n_steps, "a number of steps")
    last = np.minimum(np.arange(n_steps)[:, None], found["lengths"] - 1)  # (T, N)
    found[READOUTS] = _readouts(path, np.take_along_axis(arrays[READOUTS], last[:, :, None], 0))
    for name in PER_STEP:
        if name in arrays:
            found[name] = _costs(path, name, arrays[name], last)
    ids = found.get(
        "ids", np.arange(n_samples) if truth is None or len(truth.ids) != n_samples else truth.ids
    )
    _check_ids(path, ids)
    if truth is not None:
        if "ids" not in found and len(truth.ids) != n_samples:
            raise InputError(
                f"{path}, {READOUTS}: {n_samples} samples for {len(truth.ids)} labels; give an array 'ids', "
                "or one readout for each label in its order"
            )
        order = truth.order_of(ids, lambda place: f"{path}, ids: entry {place}")
        found = {name: values[order] for name, values in found.items()}
        _check_agreement(path, found.get("labels"), truth)
        found["labels"], ids = truth.labels, truth.ids
    if "labels" not in found:
        raise InputError(f"{path} holds no array 'labels'; give the true labels by labels=")
    _check_range(path, "labels", found["labels"], 0, n_classes - 1, "a class of the readouts")
    return {**found, "ids": ids}


def _loaded(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return {READOUTS: stored}
            with stored:
                return {name: stored[name] for name in stored.files}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # what is no such file fails in zipfile, zlib or numpy, each its own way
        raise InputError(
            f"{path} is no NumPy file of plain arrays ({' '.join(str(error).split())[:200]}); write it by "
            "np.save or np.savez, without objects in it"
        ) from error


def _shape(path: Path, values: np.ndarray) -> tuple[int, int, int]:
    where = f"{path}, {READOUTS}"
    if values.ndim != 3 or 0 in values.shape:
        raise InputError(f"{where}: the shape must be (T, N, K), time first, got {values.shape}")
    if values.dtype.kind not in "iuf":
        raise InputError(f"{where}: logits, potentials or spike counts are numbers, got {values.dtype}")
    if values.shape[2] < 2:
        raise InputError(f"{where}: K = {values.shape[2]} class leaves nothing to decide")
    n_steps, n_samples, n_classes = values.shape
    return n_steps, n_samples, n_classes


def _readouts(path: Path, values: np.ndarray) -> np.ndarray:
    where = f"{path}, {READOUTS}"
    bad = ~np.isfinite(values)
    if bad.any():
        step, sample, label = (int(place) for place in np.argwhere(bad)[0])
        raise InputError(
            f"{where}: {values[step, sample, label]} at step {step}, sample {sample}, class {label} "
            f"({int(bad.sum())} such in all); a readout is a finite number"
        )
    with np.errstate(over="ignore"):
        found = np.ascontiguousarray(values.transpose(1, 0, 2), np.float32)
    if not np.isfinite(found).all():
        raise InputError(f"{where}: a number is too large for 32 bits; scale the readouts")
    return found


def _whole(path: Path, name: str, values: np.ndarray, n_samples: int) -> np.ndarray:
    if values.shape != (n_samples,) or values.dtype.kind not in "iu":
        raise InputError(
            f"{path}, {name}: must be whole numbers of shape ({n_samples},), one for each sample, got "
            f"{values.dtype} of shape {values.shape}"
        )
    if values.dtype.kind == "u" and len(values) and values.max() > np.iinfo(np.int64).max:
        raise InputError(f"{path}, {name}: {values.max()} does not fit in 64 bits with a sign")
    return values.astype(np.int64)


def _costs(path: Path, name: str, values: np.ndarray, last: np.ndarray) -> np.ndarray:
    if values.shape != last.shape or values.dtype.kind not in "iuf":
        raise InputError(
            f"{path}, {name}: must be numbers of shape (T, N) = {last.shape}, summed from step 0 to each "
            f"step, got {values.dtype} of shape {values.shape}"
        )
    costs = np.take_along_axis(values, last, 0).astype(np.float64)
    bad = ~(costs >= 0) | ~np.isfinite(costs)
    bad[1:] |= np.diff(costs, axis=0) < 0
    if bad.any():
        step, sample = (int(place) for place in np.argwhere(bad)[0])
        raise InputError(
            f"{path}, {name}: {costs[step, sample]:g} at step {step}, sample {sample}; what was spent up to "
            "a step is at least 0 and never falls"
        )
    return np.ascontiguousarray(costs.T)


def _check_ids(path: Path, ids: np.ndarray) -> None:
    if ids.min() < 0:
        raise InputError(f"{path}, ids: entry {int(ids.argmin())} is {ids.min()}; ids are at least 0")
    _, first = np.unique(ids, return_index=True)
    twice = np.setdiff1d(np.arange(len(ids)), first)
    if len(twice):
        place = int(twice[0])
        raise InputError(
            f"{path}, ids: entry {place} is {ids[place]}, as is entry {int(np.argmax(ids == ids[place]))}; "
            "each sample is predicted once"
        )


def _check_agreement(path: Path, own: np.ndarray | None, truth: Truth) -> None:
    if own is not None and (own != truth.labels).any():
        place = int(np.argmax(own != truth.labels))
        raise InputError(
            f"{path}, labels: sample {truth.ids[place]} has the label {own[place]}, and "
            f"{truth.labels[place]} in labels="
        )


def _check_range(path: Path, name: str, values: np.ndarray, low: int, high: int, what: str) -> None:
    outside = (values < low) | (values > high)
    if outside.any():
        place = int(outside.argmax())
        raise InputError(f"{path}, {name}: entry {place} is {values[place]}; {what} lies in {low}..{high}")
