"""Time series of the UEA and UCR archives: any problem's two ``.ts`` files."""

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from rc_vs_snn.contracts import Samples, Sensor, Splits
from rc_vs_snn.datasets.folders import HOW_TO_SET, data_root
from rc_vs_snn.datasets.splitting import train_valid_rows
from rc_vs_snn.datasets.ts_files import TimeSeriesFile, read_ts
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for


@datasets.register("time-series")
def time_series(
    root: Path | None = None,
    problem: str = "JapaneseVowels",
    train: str | None = None,
    test: str | None = None,
    split_seed: int = 0,
    n_valid: int | None = None,
    standardise: bool = False,
    missing: Literal["refuse", "hold"] = "refuse",
    rate_hz: float | None = None,
) -> Splits:
    """Time series of the UEA and UCR archives, of one length or of many, from their .ts files.

    ``test`` is the archive's test set, whole. ``valid`` is drawn from its training set, stratified, by
    ``split_seed`` alone.

    Args:
        root: the data root; files lie in ``<problem>/`` or in the root itself as ``<problem>_TRAIN.ts`` and
            ``<problem>_TEST.ts``. Those that an installed aeon ships are found, too.
        problem: name of the problem.
        train: path of a training file, from the data root or the current folder, in place of the problem's.
        test: path of the test file that belongs to it.
        split_seed: seed of the division into train and valid, apart from a run's seed.
        n_valid: validation series; a fifth of the training series by default.
        standardise: subtract each channel's mean over the training split and divide by its deviation there.
        missing: what a missing value is taken for. "refuse": an error; "hold": the channel's last value, and
            before its first one the channel's mean over the training split.
        rate_hz: samples per second, where they are known; steps are then also milliseconds.

    Returns:
        float32 signals; ids are rows of the training file, and from its end on of the test file.

    Raises:
        InputError: a file that is not there or no labelled .ts file (by line), classes or channels that
            differ between the two, missing values where they are refused.

    Source: Bagnall et al., "The UEA multivariate time series classification archive, 2018", arXiv 1811.00075.
    """
    paths = [
        _located(data_root(root), problem, given, part) for part, given in (("TRAIN", train), ("TEST", test))
    ]
    files = [read_ts(path) for path in paths]
    _check_alike(paths, files)
    if missing == "refuse":
        for path, file in zip(paths, files, strict=True):
            _refuse_missing(path, file)
    classes = files[0].classes
    labels = [np.array([classes.index(label) for label in file.labels]) for file in files]
    n_train = len(labels[0])
    n_valid = max(1, n_train // 5) if n_valid is None else n_valid
    train_rows, valid_rows = train_valid_rows(
        labels[0], n_valid, None, generator_for(split_seed, "split", "time-series")
    )
    learned = np.concatenate([files[0].series[row] for row in train_rows])
    known = np.isfinite(learned)
    counts = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, learned, 0).sum(axis=0) / counts
    std = np.sqrt((np.where(known, learned - mean, 0) ** 2).sum(axis=0) / counts)
    shift, scale = (mean, np.where(std > 0, std, 1)) if standardise else (0.0, 1.0)
    series = [
        [((_held(each, mean) - shift) / scale).astype(np.float32) for each in file.series] for file in files
    ]
    sensor = Sensor(rate_hz=rate_hz)

    def part(file: int, rows: np.ndarray) -> Samples:
        values = [series[file][row] for row in rows]
        return Samples(values, labels[file][rows], rows + file * n_train, "signals", len(classes), sensor)

    return Splits(
        train=part(0, train_rows),
        valid=part(0, valid_rows),
        test=part(1, np.arange(len(labels[1]))),
        class_names=classes,
    )


def _located(root: Path, problem: str, given: str | None, part: str) -> Path:
    if given is not None:
        places = [root / Path(given).expanduser(), Path(given).expanduser()]
    else:
        name = f"{problem}_{part}.ts"
        places = [root / problem / name, root / name]
        aeon = find_spec("aeon")  # finds it without importing it
        if aeon is not None and aeon.origin:
            places.append(Path(aeon.origin).parent / "datasets" / "data" / problem / name)
    for place in places:
        if place.is_file():
            return place
    raise InputError(
        f"no time series at {' or '.join(map(str, places))}; get the problem's .ts files from "
        f"timeseriesclassification.com, or {HOW_TO_SET}"
    )


def _check_alike(paths: list[Path], files: list[TimeSeriesFile]) -> None:
    train, test = files
    unknown = set(test.classes) - set(train.classes)
    if unknown:
        raise InputError(f"{paths[1]} has the classes {sorted(unknown)}, which {paths[0]} has not")
    n_train, n_test = (file.series[0].shape[1] for file in files)
    if n_train != n_test:
        raise InputError(f"{paths[0]} has {n_train} channels and {paths[1]} {n_test}")


def _refuse_missing(path: Path, file: TimeSeriesFile) -> None:
    holed = [row for row, each in enumerate(file.series) if np.isnan(each).any()]
    if holed:
        raise InputError(
            f"{path}: {len(holed)} of {len(file.series)} series have missing values (first: number "
            f"{holed[0] + 1}); set the dataset's missing='hold' to go on with the last value known"
        )


def _held(series: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return a series with every missing value replaced by the last one known, at first ``before``."""
    padded = np.concatenate([before[None], series])
    last = np.maximum.accumulate(np.where(np.isnan(padded), 0, np.arange(len(padded))[:, None]), axis=0)
    filled: np.ndarray = np.take_along_axis(padded, last, axis=0)[1:]
    return filled
