"""A corpus of one's own from plain arrays, without a file or a loader."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rc_vs_snn.checks import as_array
from rc_vs_snn.contracts import SPLITS, SampleKind, Samples, Sensor, Splits
from rc_vs_snn.datasets.splitting import stratified_order
from rc_vs_snn.errors import InputError
from rc_vs_snn.seeds import generator_for


def splits_from_arrays(
    values: Any = None,
    labels: Any = None,
    *,
    train: tuple[Any, Any] | None = None,
    valid: tuple[Any, Any] | None = None,
    test: tuple[Any, Any] | None = None,
    kind: SampleKind = "signals",
    class_names: Sequence[str] | None = None,
    rate_hz: float | None = None,
    channels: Sequence[str] = (),
    layout: tuple[int, ...] | None = None,
    valid_share: float = 0.1,
    test_share: float = 0.2,
    split_seed: int = 0,
) -> Splits:
    """Return the splits of a corpus in memory, or in a file that is read batch by batch.

    Give ``values`` and ``labels`` of all samples: valid and test are then drawn, stratified, by
    ``split_seed`` alone. Or give ``train`` and ``test`` as pairs (values, labels): valid is then drawn from
    train, unless it is given, too.

    Args:
        values: signals ``(N, length, channel)``, or N of ``(length, channel)`` each if lengths differ
            (one-dimensional ones have one channel); images ``(N, H, W)`` or ``(N, channel, H, W)``; or N
            recordings of events (see ``Samples``).
        labels: one per sample: class indices from 0, or anything else that can be sorted, such as names.
        train: values and labels of the training split.
        valid: of the validation split.
        test: of the test split.
        kind: "signals", "images" or "events".
        class_names: the classes in the order of their indices; where labels are names, all of these. By
            default those of the labels, sorted.
        rate_hz: samples per second of signals, so that steps are also milliseconds.
        channels: names of the channels.
        layout: shape of the sensor's channels, such as (2, 34, 34) of an event camera.
        valid_share: of the training samples, for validation, where valid is drawn.
        test_share: of all samples, where test is drawn.
        split_seed: seed of what is drawn.

    Returns:
        Splits with the ids 0..N-1 in the order given (train, valid, test), or in the order of ``values``.

    Raises:
        InputError: neither one set nor train and test, labels that are no classes, or faulty values.
    """
    given = {name: pair for name, pair in zip(SPLITS, (train, valid, test), strict=True) if pair is not None}
    whole = values is not None and labels is not None
    complete = "train" in given and "test" in given
    if (
        (not complete and not whole)
        or (whole and given)
        or (complete and (values is not None or labels is not None))
    ):
        raise InputError("give values and labels, or train=(values, labels) and test=(values, labels)")
    sets = (
        [_pair((values, labels), "values")] if whole else [_pair(pair, name) for name, pair in given.items()]
    )
    names, indices = _classes([own for _, own in sets], class_names)
    sensor = Sensor(layout, rate_hz, tuple(channels))
    parts: list[Samples] = []
    for (own, _), index in zip(sets, indices, strict=True):
        ids = np.arange(len(index)) + sum(map(len, parts))
        parts.append(Samples(_values(own, kind), index, ids, kind, len(names), sensor))
    generator = generator_for(split_seed, "split", "from-arrays")
    if whole:
        rest, last = _divided(parts[0], test_share, "test_share", generator)
        parts = [*_divided(rest, valid_share, "valid_share", generator), last]
    elif len(parts) == 2:
        parts = [*_divided(parts[0], valid_share, "valid_share", generator), parts[1]]
    first, second, third = parts
    return Splits(train=first, valid=second, test=third, class_names=names)


def _pair(pair: Any, name: str) -> tuple[Any, np.ndarray]:
    """Return values and labels, the labels as an array."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise InputError(f"{name} must be a pair (values, labels)")
    labels = as_array(pair[1], f"the labels of {name}")
    if labels.ndim != 1 or labels.dtype.kind not in "iubUS" or not len(labels):
        raise InputError(
            f"the labels of {name} must be one class index or name per sample, got {labels.dtype} of "
            f"shape {labels.shape}"
        )
    return pair[0], labels


def _classes(
    labels: list[np.ndarray], class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Return the names of the classes and each set's class indices."""
    found = np.unique(np.concatenate(labels))
    if class_names is not None and found.dtype.kind not in "US":
        return tuple(class_names), [each.astype(np.int64) for each in labels]  # indices; Samples checks them
    names = found if class_names is None else np.array(list(class_names))
    unknown = np.setdiff1d(found, names)
    if len(unknown):
        raise InputError(f"the label {unknown[0]!r} is none of class_names {tuple(names.tolist())}")
    order = np.argsort(names)
    indices = [order[np.searchsorted(names, each, sorter=order)] for each in labels]
    return tuple(map(str, names.tolist())), indices


def _values(values: Any, kind: SampleKind) -> Any:
    """Return values with a channel axis where signals of one channel lack it."""
    if kind != "signals":
        return values
    if isinstance(values, np.ndarray) and values.dtype != object:
        return values[:, :, None] if values.ndim == 2 else values
    if isinstance(values, (list | tuple, np.ndarray)):
        arrays = [as_array(value, f"signal {row}") for row, value in enumerate(values)]
        return [array[:, None] if array.ndim == 1 else array for array in arrays]
    return values


def _divided(
    samples: Samples, share: float, name: str, generator: np.random.Generator
) -> tuple[Samples, Samples]:
    """Return what is left of samples and a stratified share of them, each in the order of the ids."""
    n = round(share * len(samples)) if 0 < share < 1 else 0
    if not 0 < n < len(samples):
        raise InputError(f"{name}={share} of {len(samples)} samples leaves a split empty")
    order = stratified_order(samples.labels, generator)
    return samples.select(np.sort(order[n:])), samples.select(np.sort(order[:n]))
