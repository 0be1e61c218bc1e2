import struct

import numpy as np
import pytest

from rc_vs_snn.datasets.nmnist import nmnist
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets


def event(x: int, y: int, t: int, p: int) -> bytes:
    """An event of 40 bits: x, y, polarity and 23 bits of microseconds, big-endian."""
    return struct.pack(">BBBH", x, y, p << 7 | t >> 16, t & 0xFFFF)


@pytest.fixture
def root(tmp_path):
    """Thirty training and five test recordings of two digits."""
    for number in range(1, 31):
        folder = tmp_path / "NMNIST" / "Train" / str(number % 2)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.bin").write_bytes(event(number, 33, 100_000 + number, 1) + event(0, 0, 3, 0))
    for number in range(1, 6):
        folder = tmp_path / "NMNIST" / "Test" / str(number % 2)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}.bin").write_bytes(event(5, 6, 7, number % 2))
    return tmp_path


def test_hand_made_events(root):
    splits = nmnist(root)
    assert [len(split) for split in (splits.train, splits.valid, splits.test)] == [27, 3, 5]
    for split in (splits.train, splits.valid):
        for sample_id, label, events in zip(split.ids, split.labels, split.values, strict=True):
            number = sample_id + 1
            assert label == number % 2
            assert events["x"].tolist() == [number, 0]
            assert events["y"].tolist() == [33, 0]
            assert events["t"].tolist() == [100_000 + number, 3]
            assert events["p"].tolist() == [1, 0]
    assert splits.test.ids.tolist() == [60_000, 60_001, 60_002, 60_003, 60_004]
    assert splits.test.labels.tolist() == [1, 0, 1, 0, 1]


def test_sizes_are_options_and_the_split_is_fixed(root):
    few = nmnist(root, n_valid=6, n_train=4)
    assert (len(few.train), len(few.valid)) == (4, 6)
    assert np.bincount(few.train.labels).tolist() == [2, 2]
    again, other = nmnist(root), nmnist(root, split_seed=1)
    assert (nmnist(root).valid.ids == again.valid.ids).all()
    assert set(again.valid.ids) != set(other.valid.ids)


def test_no_recordings_says_how_to_get_them(tmp_path):
    with pytest.raises(InputError) as caught:
        nmnist(tmp_path)
    assert f"tonic.datasets.NMNIST(save_to={str(tmp_path)!r}, train=True)" in str(caught.value)
    assert "RC_VS_SNN_DATA" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("00001.bin", event(1, 1, 1, 1)[:-1], "00001.bin is truncated"),
        ("00001.bin", event(34, 1, 1, 1), "00001.bin has events outside 34x34 pixels"),
        ("copy.bin", event(1, 1, 1, 1), r"must be called <digit>/<number>\.bin; .*copy.bin is not"),
    ],
)
def test_a_damaged_recording(root, name, content, message):
    (root / "NMNIST" / "Test" / "1" / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        nmnist(root)


def test_an_empty_split_folder(root):
    for path in (root / "NMNIST" / "Test").rglob("*.bin"):
        path.unlink()
    with pytest.raises(InputError, match=r"Test must be called .*there are none"):
        nmnist(root)


def test_real_recordings_show_the_mnist_image_of_their_id(data_root):
    recordings = datasets.build("nmnist", {}, root=data_root)
    images = datasets.build("mnist", {"download": False}, root=data_root)
    label_of = np.empty(70_000, dtype=int)
    for split in (images.train, images.valid, images.test):
        label_of[split.ids] = split.labels
    for split in (recordings.train, recordings.valid, recordings.test):
        assert (split.labels == label_of[split.ids]).all()
        for events in split.values:
            assert set(np.unique(events["p"])) <= {0, 1}
            assert (np.diff(events["t"]) >= 0).all()
            assert events["t"][-1] < 400_000
