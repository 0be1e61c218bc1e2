"""Any classification corpus of Tonic, by the name of its class."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples, Sensor, SplitName, Splits
from rc_vs_snn.datasets import tonic_classes
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.datasets.label_cache import found_once
from rc_vs_snn.datasets.recordings import (
    FAULTS,
    Faulty,
    Read,
    Recordings,
    TimeUnit,
    Understand,
    as_classes,
    plain_label,
    scan,
)
from rc_vs_snn.datasets.splitting import stratified_order, train_valid_rows
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for

ID_STRIDE = 10_000_000
"""Ids of the official parts begin at their own tens of millions: train, valid, test."""


@datasets.register("tonic")
def tonic_corpus(
    root: Path | None = None,
    split_seed: int = 0,
    n_valid: int | None = None,
    n_test: int | None = None,
    n_train: int | None = None,
    faulty: Faulty = "refuse",
    transforms: tuple[Mapping[str, Any], ...] = (),
    layout: tuple[int, ...] | None = None,
    time_unit: TimeUnit = "us",
    download: bool = False,
    **arguments: Any,
) -> Splits:
    """Any classification corpus of Tonic, by the name of its class, read one recording at a time.

    Args:
        root: the data root; Tonic looks in a folder of the class's name below it.
        split_seed: seed of what is drawn of the division, apart from a run's seed.
        n_valid: validation samples, drawn stratified from the training set where the corpus has no official
            ones; a tenth by default.
        n_test: test samples, drawn stratified where the corpus has no official ones (a warning says so); a
            fifth by default.
        n_train: training samples to keep for a quick run, stratified; all by default.
        faulty: what becomes of recordings that are empty, unsorted in time, out of the sensor's range or
            unreadable (truncated): "refuse" them when they are met; "skip" them, for which all are read once
            and counted in a warning; or "keep" those that are empty or unsorted.
        transforms: Tonic transforms of every recording, such as
            ``[{ name = "Denoise", filter_time = 10000 }]``. Those that draw at random, or make frames, are
            refused.
        layout: of the sensor, (polarity, height, width) or (polarity, channel), where transforms change it or
            the corpus does not tell it.
        time_unit: unit of the recordings' times.
        download: whether Tonic may download what is missing.
        **arguments: ``class``, the name of a class in ``tonic.datasets``, and what that class takes, such as
            ``first_saccade_only = true`` of NMNIST.

    Returns:
        Events with the fields t (microseconds), x, y (of two-dimensional sensors) and p, from 0. Ids count
        an official part's recordings in the order of its files, from 0 (train), 10,000,000 (valid) and
        20,000,000 (test).

    Raises:
        InputError: an unknown class, argument or transform, no recordings, a faulty one (see ``faulty``), or
            targets that are no classes.

    Source: Tonic (GPL-3.0, imported only here): Lenz et al., doi 10.5281/zenodo.5079802.
    """
    corpus = tonic_classes.corpus_class(arguments.pop("class", None))
    tonic_classes.check_arguments(corpus, arguments)
    transform = tonic_classes.transformation(transforms)
    given = None if layout is None else _checked_layout(layout)
    parts: dict[SplitName, _Part] = {}
    for name, own in tonic_classes.official_parts(corpus).items():
        opened = tonic_classes.open_part(corpus, data_root(root), {**arguments, **own}, download=download)
        rows = tonic_classes.stable_rows(opened)
        read = tonic_classes.reader(opened, rows, transform)
        if transform is not None and name == "train":
            tonic_classes.check_draws_nothing(read, ", ".join(entry["name"] for entry in transforms))
        understand = Understand(given or tonic_classes.sensor_layout(opened), time_unit)
        title = f"tonic.datasets.{corpus.__name__} ({name})"
        key = (
            title,
            version("tonic"),
            sorted(arguments.items()),
            repr(transforms),
            understand.layout,
            time_unit,
        )
        parts[name] = _part(opened, rows, read, understand, faulty, title, key, data_root(root))
    return _splits(parts, faulty, split_seed, n_valid, n_test, n_train, corpus.__name__)


@dataclass(frozen=True, eq=False)
class _Part:
    """An official part: how it is read, and which of its recordings are used, with their labels."""

    read: Read
    understand: Understand
    title: str
    rows: np.ndarray
    labels: list[Any]
    names: tuple[str, ...]


def _part(
    opened: Any, order: np.ndarray, read: Read, understand: Understand, faulty: Faulty, title: str, key: Any,
    root: Path,
) -> _Part:  # fmt: skip
    listed = tonic_classes.listed_labels(opened)
    labels = None if listed is None else [plain_label(listed[row]) for row in order]
    faults = np.zeros(len(order), np.int64)
    if labels is None or faulty == "skip":
        read_labels, found = found_once(
            root / ".cache" / "recordings",
            key,
            Path(opened.location_on_system),
            lambda: scan(read, len(order), understand),
        )
        labels, faults = labels or read_labels, np.array(found)
    rows = np.arange(len(order))
    bad = faults > 0
    if faulty == "keep":
        bad &= ~np.isin(faults, [FAULTS.index("empty"), FAULTS.index("unsorted")])
    if bad.any():
        counts = ", ".join(
            f"{np.count_nonzero(faults[bad] == kind):,} {FAULTS[kind]}" for kind in np.unique(faults[bad])
        )
        told = (
            f"{np.count_nonzero(bad):,} of {len(bad):,} recordings of {title} are faulty ({counts}; first: "
        )
        told += f"recording {int(bad.argmax())})"
        if faulty != "skip":
            raise InputError(f"{told}; set the dataset's faulty='skip' to leave them out")
        warnings.warn(f"{told} and left out", stacklevel=4)
        rows = rows[~bad]
    if not len(rows):
        raise InputError(f"none of the {len(bad):,} recordings of {title} can be used")
    return _Part(
        read, understand, title, rows, [labels[row] for row in rows], tonic_classes.class_names(opened)
    )


def _splits(
    parts: Mapping[SplitName, _Part],
    faulty: Faulty,
    split_seed: int,
    n_valid: int | None,
    n_test: int | None,
    n_train: int | None,
    name: str,
) -> Splits:
    """Return the official parts as splits, and draw what is not official."""
    every = [label for part in parts.values() for label in part.labels]
    classes, names = as_classes(every, parts["train"].names)
    bounds = np.cumsum([len(part.labels) for part in parts.values()])[:-1]
    labels = dict(zip(parts, np.split(classes, bounds), strict=True))

    def samples(part: SplitName, rows: np.ndarray) -> Samples:
        chosen = parts[part]
        values = Recordings(
            chosen.read, chosen.rows[rows], [chosen.labels[row] for row in rows], chosen.understand, faulty,
            chosen.title,
        )  # fmt: skip
        first = {"train": 0, "valid": 1, "test": 2}[part] * ID_STRIDE
        sensor = Sensor(layout=chosen.understand.layout)
        return Samples(values, labels[part][rows], first + chosen.rows[rows], "events", len(names), sensor)

    generator = generator_for(split_seed, "split", f"tonic {name}")
    at_hand = np.arange(len(labels["train"]))
    found: dict[str, Samples] = {}
    if "test" in parts:
        if n_test is not None:
            raise InputError(f"the test set of {name} is official and whole; leave n_test out")
        found["test"] = samples("test", np.arange(len(labels["test"])))
    else:
        n_test = max(1, len(at_hand) // 5) if n_test is None else n_test
        check_whole(n_test, "n_test", 1, len(at_hand) - 2)
        warnings.warn(
            f"tonic.datasets.{name} has no official split; {n_test:,} test recordings are drawn by "
            "split_seed, stratified by class",
            stacklevel=3,
        )
        order = stratified_order(labels["train"], generator)
        found["test"] = samples("train", np.sort(order[:n_test]))
        at_hand = np.sort(order[n_test:])
    if "valid" in parts:
        if n_valid is not None:
            raise InputError(f"the validation set of {name} is official and whole; leave n_valid out")
        found["valid"] = samples("valid", np.arange(len(labels["valid"])))
        kept = stratified_order(labels["train"], generator)[:n_train] if n_train else at_hand
        found["train"] = samples("train", np.sort(kept))
    else:
        n_valid = max(1, len(at_hand) // 10) if n_valid is None else n_valid
        train_rows, valid_rows = train_valid_rows(labels["train"][at_hand], n_valid, n_train, generator)
        found["train"], found["valid"] = (
            samples("train", at_hand[rows]) for rows in (train_rows, valid_rows)
        )
    return Splits(**found, class_names=names)


def _checked_layout(layout: Sequence[Any]) -> tuple[int, ...]:
    sizes = Sensor(layout=tuple(layout)).layout
    if sizes is None or len(sizes) not in (2, 3):
        raise InputError(
            f"layout must be (polarity, height, width), or (polarity, channel) of one dimension, got {layout}"
        )
    return sizes
