"""A hand-made corpus in MNIST's format: small, so that it is quick and never fetched."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.datasets import mnist


def idx_bytes(array: np.ndarray) -> bytes:
    """Write a uint8 array in the idx format, by the description of the format and not by our reader."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.fixture
def tiny_contents() -> dict[str, bytes]:
    """Content of the four unpacked files: 20 training and 5 test images of 2x2 pixels."""
    rng = np.random.default_rng(0)
    contents = {}
    for part, size in (("train", 20), ("t10k", 5)):
        images = rng.integers(0, 256, (size, 2, 2)).astype(np.uint8)
        labels = (np.arange(size) % 10).astype(np.uint8)
        contents[f"{part}-images-idx3-ubyte"] = idx_bytes(images)
        contents[f"{part}-labels-idx1-ubyte"] = idx_bytes(labels)
    return contents


@pytest.fixture
def tiny_gz(tiny_contents: dict[str, bytes]) -> dict[str, bytes]:
    """Content of the four gzipped files, by name."""
    return {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in tiny_contents.items()}


@pytest.fixture
def published(
    monkeypatch: pytest.MonkeyPatch, tiny_contents: dict[str, bytes], tiny_gz: dict[str, bytes]
) -> None:
    """Let the tiny corpus be the published one, on no mirror at all."""

    def md5(content: bytes) -> str:
        return hashlib.md5(content).hexdigest()

    files = [
        replace(file, md5=md5(tiny_contents[file.name]), gz_md5=md5(tiny_gz[f"{file.name}.gz"]))
        for file in mnist.MNIST.files
    ]
    monkeypatch.setattr(mnist, "MNIST", replace(mnist.MNIST, files=tuple(files), mirrors=()))


@pytest.fixture
def write() -> Callable[[Path, dict[str, bytes]], None]:
    """Return a function that writes files, by name, into a folder."""

    def write_files(folder: Path, contents: dict[str, bytes]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)

    return write_files
