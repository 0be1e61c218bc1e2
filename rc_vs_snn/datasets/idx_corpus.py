"""Corpora published as the four idx files of MNIST: found, or downloaded, checked and divided."""

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


@dataclass(frozen=True)
class IdxCorpus:
    """A corpus of four idx files.

    Attributes:
        title: what errors call it.
        folder: where missing files are downloaded to, below the data root.
        folders: where files are looked for besides, below the data root.
        files: training images and labels, test images and labels.
        mirrors: addresses of folders that hold the ``.gz`` files.
        class_names: in label order.
    """

    title: str
    folder: str
    folders: tuple[str, ...]
    files: tuple[IdxFile, IdxFile, IdxFile, IdxFile]
    mirrors: tuple[str, ...]
    class_names: tuple[str, ...]

    def splits(
        self, root: Path | None, split_seed: int, n_valid: int, n_train: int | None, download: bool
    ) -> Splits:
        """Return the splits; see `mnist` for the arguments and errors."""
        paths = self._locate(data_root(root), download)
        train_images, train_labels, test_images, test_labels = self.files
        images, labels = _read_pair(paths, train_images, train_labels)
        generator = generator_for(split_seed, "split", self.folder)
        train_rows, valid_rows = train_valid_rows(labels, n_valid, n_train, generator)
        unseen, wanted = _read_pair(paths, test_images, test_labels)
        n_classes = len(self.class_names)

        def pick(rows: np.ndarray) -> Samples:
            return Samples(images[rows], labels[rows], rows, "images", n_classes)

        return Splits(
            train=pick(train_rows),
            valid=pick(valid_rows),
            test=Samples(unseen.copy(), wanted, len(images) + np.arange(len(unseen)), "images", n_classes),
            class_names=self.class_names,
        )

    def _locate(self, root: Path, download: bool) -> dict[str, Path]:
        found = {file.name: path for file in self.files if (path := self._find(root, file.name))}
        missing = [file for file in self.files if file.name not in found]
        if not missing:
            return found
        target = root / self.folder
        in_the_way = [
            path for file in missing for path in self._candidates(root, file.name) if os.path.lexists(path)
        ]
        if download:  # to here
            in_the_way = [path for path in in_the_way if path.parent == target and path.suffix == ".gz"]
        if in_the_way:
            raise InputError(f"{in_the_way[0]} is no file (a folder, or a link to none); remove it")
        remedy = (
            f"put {', '.join(file.name + '.gz' for file in missing)} (or the unpacked files, without .gz) "
            f"into {target}, or {HOW_TO_SET}"
        )
        if not download:
            raise InputError(f"{self.title} is not complete under {root} and download is off; {remedy}")
        try:
            fetched = {
                file.name: fetch(file.name + ".gz", file.gz_md5, self.mirrors, target) for file in missing
            }
        except InputError as error:
            raise InputError(f"{self.title} is not complete under {root}: {error}; {remedy}") from error
        return found | fetched

    def _find(self, root: Path, name: str) -> Path | None:
        return next((path for path in self._candidates(root, name) if path.is_file()), None)

    def _candidates(self, root: Path, name: str) -> list[Path]:
        folders = (self.folder, *self.folders)
        return [root / folder / file_name for folder in folders for file_name in (name, name + ".gz")]


def _read_pair(paths: dict[str, Path], images: IdxFile, labels: IdxFile) -> tuple[np.ndarray, np.ndarray]:
    values = read_idx(paths[images.name], images.n_dims, images.md5)
    targets = read_idx(paths[labels.name], labels.n_dims, labels.md5)
    if len(values) != len(targets):
        raise InputError(
            f"{paths[images.name]} holds {len(values)} images but {paths[labels.name]} {len(targets)} "
            "labels; take both from the same release"
        )
    return values, targets
