"""Small samples made by hand, and the real ones the encoders are checked against."""

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.contracts import Samples

EVENT = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


def _samples(values: np.ndarray, kind: str) -> Samples:
    n = len(values)
    return Samples(values, np.zeros(n, np.int64), np.arange(n), kind, 1)


@pytest.fixture(scope="session")
def row_image() -> Callable[..., Samples]:
    """Return images of one row: each argument holds one image's pixels."""

    def make(*images: Sequence[float], dtype: type = np.float64) -> Samples:
        return _samples(np.array(images, dtype)[:, None, :], "images")

    return make


@pytest.fixture(scope="session")
def signals() -> Callable[[np.ndarray], Samples]:
    """Return signals from an array ``(N, L, C)``."""
    return lambda values: _samples(np.asarray(values), "signals")


@pytest.fixture(scope="session")
def recordings() -> Callable[..., Samples]:
    """Return event samples: each argument is a list of events (t, x, y, p)."""

    def make(*samples: Sequence[tuple[int, int, int, int]]) -> Samples:
        values = np.empty(len(samples), dtype=object)
        for row, events in enumerate(samples):
            values[row] = np.zeros(len(events), EVENT)
            for at, (t, x, y, p) in enumerate(events):
                values[row][at] = (x, y, t, p)
        return _samples(values, "events")

    return make


@pytest.fixture(scope="session")
def all_bytes() -> Samples:
    """One image that holds every 8-bit intensity once."""
    return _samples(np.arange(256, dtype=np.uint8).reshape(1, 16, 16), "images")


@pytest.fixture(scope="session")
def mnist_test(data_root: Path) -> Samples:
    """The 10,000 test images of MNIST."""
    path = data_root / "mnist" / "t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        pytest.skip(f"the MNIST test images are not at {path}")
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16)
    return _samples(pixels.reshape(-1, 28, 28), "images")


@pytest.fixture(scope="session")
def nmnist_files(data_root: Path) -> list[Path]:
    """One test recording of N-MNIST per digit."""
    folder = data_root / "nmnist_small" / "Test"
    files = [sorted(digit.glob("*.bin"))[0] for digit in sorted(folder.glob("[0-9]"))]
    if not files:
        pytest.skip(f"no N-MNIST recordings below {folder}")
    return files
