"""N-MNIST: MNIST as an event camera saw it, read from its recordings through Tonic."""

import re
import warnings
from pathlib import Path

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples, Sensor, Splits
from rc_vs_snn.datasets.folders import HOW_TO_SET, data_root
from rc_vs_snn.datasets.splitting import stratified_order, train_valid_rows
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for

FOLDERS = ("NMNIST", "nmnist_small")
SENSOR = Sensor(layout=(2, 34, 34))
SENSOR_SIZE = (34, 34)  # width, height
N_MNIST_TRAIN = 60_000
N_MNIST_TEST = 10_000
BYTES_PER_EVENT = 5
# 10 bytes per event instead of the 32 of Tonic's default: the whole corpus is 290 million events.
EVENT = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int32), ("p", np.int16)])

Listed = tuple[list[Path], np.ndarray, np.ndarray]
"""Paths, labels and ids of recordings."""

_NAMES = "the recordings in {folder} must be called <digit>/<number>.bin, numbered from 1; {fault}"


@datasets.register("nmnist")
def nmnist(
    root: Path | None = None,
    split_seed: int = 0,
    n_valid: int | None = None,
    n_train: int | None = None,
    fold: int | None = None,
    n_folds: int = 5,
) -> Splits:
    """N-MNIST, event-camera recordings of MNIST, 34x34 pixels, 2 polarities, about 0.3 s.

    ``test`` is the official test set (or the part of it at hand), always whole. ``valid`` is drawn from
    the training set, stratified, by ``split_seed`` alone.

    Args:
        root: the data root; recordings lie in ``NMNIST/`` (as Tonic puts them) or ``nmnist_small/``,
            as ``Train/<digit>/<number>.bin`` and ``Test/<digit>/<number>.bin``.
        split_seed: seed of the division into train and valid, apart from a run's seed.
        n_valid: validation samples; a tenth of the training recordings by default.
        n_train: training samples to keep for a quick run, stratified; all by default. Only the
            recordings kept are read.
        fold: 0..n_folds-1: for cross-validation, ``test`` is this one of ``n_folds`` stratified parts of all
            recordings at hand, official training and test set together, drawn by ``split_seed``. None: the
            official test set.
        n_folds: number of these parts.

    Returns:
        Events with the fields x, y (pixel), t (microseconds) and p (0 or 1). The id of a recording is
        that of the MNIST image it shows (0..59999 train, 60000..69999 test).

    Raises:
        InputError: no recordings under the root, one that cannot be read or is damaged, two of one number,
            or a split in which all are empty. That some are empty is said in a warning.

    Source: G. Orchard et al., "Converting static image datasets to spiking neuromorphic datasets using
        saccades", Frontiers in Neuroscience 9:437, 2015.
    """
    folder = _locate(data_root(root))
    paths, labels, ids = _list_recordings(folder / "Train", first_id=0)
    test = _list_recordings(folder / "Test", first_id=N_MNIST_TRAIN)
    if fold is not None:
        check_whole(n_folds, "n_folds", 2, len(paths) + len(test[0]))
        check_whole(fold, "fold", 0, n_folds - 1)
        (paths, labels, ids), test = _fold(
            (paths + test[0], np.append(labels, test[1]), np.append(ids, test[2])), fold, n_folds, split_seed
        )
    generator = generator_for(split_seed, "split", "nmnist")
    n_valid = max(1, len(ids) // 10) if n_valid is None else n_valid
    train_rows, valid_rows = train_valid_rows(labels, n_valid, n_train, generator)

    def pick(rows: np.ndarray) -> Samples:
        values = _read([paths[row] for row in rows])
        return Samples(values, labels[rows], ids[rows], "events", n_classes=10, sensor=SENSOR)

    return Splits(
        train=pick(train_rows),
        valid=pick(valid_rows),
        test=Samples(_read(test[0]), test[1], test[2], "events", n_classes=10, sensor=SENSOR),
        class_names=tuple("0123456789"),
    )


def _fold(listed: Listed, fold: int, n_folds: int, split_seed: int) -> tuple[Listed, Listed]:
    """Return all recordings but one of ``n_folds`` parts, and that part, each in the order of their ids."""
    paths, labels, ids = listed
    order = stratified_order(labels, generator_for(split_seed, "folds", "nmnist"))
    cuts = np.arange(n_folds + 1) * len(order) // n_folds
    held = np.zeros(len(order), np.bool_)
    held[order[cuts[fold] : cuts[fold + 1]]] = True

    def part(rows: np.ndarray) -> Listed:
        return [paths[row] for row in np.flatnonzero(rows)], labels[rows], ids[rows]

    return part(~held), part(held)


def _locate(root: Path) -> Path:
    for name in FOLDERS:
        if all((root / name / split).is_dir() for split in ("Train", "Test")):
            return root / name
    raise InputError(
        f"no N-MNIST recordings under {root}: looked for Train/ and Test/ in {' and '.join(FOLDERS)}; "
        f"download them with Tonic: tonic.datasets.NMNIST(save_to={str(root)!r}, train=True) and again "
        f"with train=False, or {HOW_TO_SET}"
    )


def _list_recordings(folder: Path, first_id: int) -> Listed:
    """Return the paths, labels and ids of a split's recordings, in the order of their ids."""
    # Hidden files are the side files of a copy (._00001.bin), other suffixes notes: no recordings.
    paths = [
        path for path in folder.glob("[0-9]/*")
        if path.suffix.lower() == ".bin" and not path.name.startswith(".")
    ]  # fmt: skip
    by_id: dict[int, Path] = {}
    for path in sorted(paths):
        number = int(path.stem) if re.fullmatch("[0-9]{1,5}", path.stem) else 0
        # Files are numbered from 1; a test file either from 1 or onwards from the 60,000 of the training set.
        if first_id and number > N_MNIST_TRAIN:
            number -= N_MNIST_TRAIN
        if not 1 <= number <= (N_MNIST_TEST if first_id else N_MNIST_TRAIN):
            raise InputError(_NAMES.format(folder=folder, fault=f"{path} is not called so"))
        other = by_id.setdefault(first_id + number - 1, path)
        if other != path:
            raise InputError(_NAMES.format(folder=folder, fault=f"{path} has the number of {other}"))
    if not by_id:
        raise InputError(_NAMES.format(folder=folder, fault="there are none"))
    ids = np.array(sorted(by_id))
    ordered = [by_id[sample_id] for sample_id in ids]
    return ordered, np.array([int(path.parent.name) for path in ordered]), ids


def _read(paths: list[Path]) -> np.ndarray:
    from tonic.io import read_mnist_file  # here: Tonic is GPL-3.0 and only needed for event data

    recordings = np.empty(len(paths), dtype=object)
    empty = []
    for row, path in enumerate(paths):
        if not path.is_file():
            raise InputError(f"{path} is no file (a folder, or a link to none); remove it")
        if path.stat().st_size % BYTES_PER_EVENT:
            raise InputError(f"{path} is truncated: it does not end on a whole event; fetch it again")
        try:
            events = read_mnist_file(str(path), dtype=EVENT)
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
        width, height = SENSOR_SIZE
        if (events["x"] >= width).any() or (events["y"] >= height).any():
            raise InputError(f"{path} has events outside {width}x{height} pixels; it is not of N-MNIST")
        if not len(events):
            empty.append(path)
        recordings[row] = events
    if empty:
        warnings.warn(
            f"{len(empty):,} of {len(paths):,} recordings are empty (first: {empty[0]}) and are taken as "
            "silence; fetch them again",
            stacklevel=4,
        )
    return recordings
