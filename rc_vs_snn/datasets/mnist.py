"""MNIST from its four idx files; downloaded if they are not there."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.datasets.download import fetch
from rc_vs_snn.datasets.folders import HOW_TO_SET, data_root
from rc_vs_snn.datasets.idx import read_idx
from rc_vs_snn.datasets.splitting import train_valid_rows
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for


@dataclass(frozen=True)
class IdxFile:
    """A published file.

    Attributes:
        name: name of the unpacked file.
        n_dims: number of its dimensions.
        md5: checksum of the unpacked content.
        gz_md5: checksum of the published ``.gz`` file.
    """

    name: str
    n_dims: int
    md5: str
    gz_md5: str


TRAIN_IMAGES = IdxFile(
    "train-images-idx3-ubyte", 3, "6bbc9ace898e44ae57da46a324031adb", "f68b3c2dcbeaaa9fbdd348bbdeb94873"
)
TRAIN_LABELS = IdxFile(
    "train-labels-idx1-ubyte", 1, "a25bea736e30d166cdddb491f175f624", "d53e105ee54ea40749a09fcbcd1e9432"
)
TEST_IMAGES = IdxFile(
    "t10k-images-idx3-ubyte", 3, "2646ac647ad5339dbf082846283269ea", "9fb629c4189551a2d022fa330f9573f3"
)
TEST_LABELS = IdxFile(
    "t10k-labels-idx1-ubyte", 1, "27ae3e4e09519cfbb04c329615203637", "ec29112dd5afa0611ce80d1b7f02629c"
)
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)


@datasets.register("mnist")
def mnist(
    root: Path | None = None,
    split_seed: int = 0,
    n_valid: int = 5000,
    n_train: int | None = None,
    download: bool = True,
) -> Splits:
    """MNIST, 70,000 handwritten digits of 28x28 pixels.

    ``test`` is the official test set, always whole. ``valid`` is drawn from the official training set,
    stratified, by ``split_seed`` alone.

    Args:
        root: the data root. The files are looked for in ``mnist/``, in the root itself and in
            ``MNIST/raw/`` (torchvision's layout), gzipped or not.
        split_seed: seed of the division into train and valid, apart from a run's seed.
        n_valid: validation samples.
        n_train: training samples to keep for a quick run, stratified; all by default.
        download: fetch missing files into ``mnist/``.

    Returns:
        uint8 images ``(N, 28, 28)``; ids 0..59999 are the official training set, 60000..69999 the test
        set, in the order of the files.

    Raises:
        InputError: files are missing and cannot be downloaded, or one is damaged or cannot be read.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits".
    """
    paths = _locate(data_root(root), download)
    images, labels = _read_pair(paths, TRAIN_IMAGES, TRAIN_LABELS)
    generator = generator_for(split_seed, "split", "mnist")
    train_rows, valid_rows = train_valid_rows(labels, n_valid, n_train, generator)
    test_images, test_labels = _read_pair(paths, TEST_IMAGES, TEST_LABELS)

    def pick(rows: np.ndarray) -> Samples:
        return Samples(images[rows], labels[rows], rows, "images", n_classes=10)

    test_ids = len(images) + np.arange(len(test_images))
    return Splits(
        train=pick(train_rows),
        valid=pick(valid_rows),
        test=Samples(test_images.copy(), test_labels, test_ids, "images", n_classes=10),
        class_names=tuple("0123456789"),
    )


def _locate(root: Path, download: bool) -> dict[str, Path]:
    found = {file.name: path for file in FILES if (path := _find(root, file.name))}
    missing = [file for file in FILES if file.name not in found]
    if not missing:
        return found
    target = root / "mnist"
    in_the_way = [path for file in missing for path in _candidates(root, file.name) if os.path.lexists(path)]
    if download:  # to here
        in_the_way = [path for path in in_the_way if path.parent == target and path.suffix == ".gz"]
    if in_the_way:
        raise InputError(f"{in_the_way[0]} is no file (a folder, or a link to none); remove it")
    remedy = (
        f"put {', '.join(file.name + '.gz' for file in missing)} (or the unpacked files, without .gz) "
        f"into {target}, or {HOW_TO_SET}"
    )
    if not download:
        raise InputError(f"MNIST is not complete under {root} and download is off; {remedy}")
    try:
        fetched = {file.name: fetch(file.name + ".gz", file.gz_md5, MIRRORS, target) for file in missing}
    except InputError as error:
        raise InputError(f"MNIST is not complete under {root}: {error}; {remedy}") from error
    return found | fetched


def _find(root: Path, name: str) -> Path | None:
    return next((path for path in _candidates(root, name) if path.is_file()), None)


def _candidates(root: Path, name: str) -> list[Path]:
    folders = (root / "mnist", root, root / "MNIST" / "raw")
    return [folder / file_name for folder in folders for file_name in (name, name + ".gz")]


def _read_pair(paths: dict[str, Path], images: IdxFile, labels: IdxFile) -> tuple[np.ndarray, np.ndarray]:
    values = read_idx(paths[images.name], images.n_dims, images.md5)
    targets = read_idx(paths[labels.name], labels.n_dims, labels.md5)
    if len(values) != len(targets):
        raise InputError(
            f"{paths[images.name]} holds {len(values)} images but {paths[labels.name]} {len(targets)} "
            "labels; take both from the same release"
        )
    return values, targets
