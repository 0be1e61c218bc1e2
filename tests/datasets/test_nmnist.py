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
        ("copy.bin", event(1, 1, 1, 1), r"must be called <digit>/<number>\.bin, .*copy.bin is not"),
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


@pytest.mark.parametrize(
    "name", ["._00001.bin", ".00001.bin.swp", "Thumbs.db", ".DS_Store", "desktop.ini", "00001.bin~"]
)
def test_side_files_of_a_copy_are_no_recordings(root, name):
    for digit in (root / "NMNIST").glob("*/*"):
        (digit / name).write_bytes(b"abc")
    splits = nmnist(root)
    assert [len(split) for split in (splits.train, splits.valid, splits.test)] == [27, 3, 5]


def test_a_suffix_in_capitals_is_read(root):
    path = root / "NMNIST" / "Train" / "1" / "00001.bin"
    path.rename(path.with_suffix(".BIN"))
    assert len(nmnist(root).train) == 27


def test_empty_recordings_are_counted_and_named(root):
    path = root / "NMNIST" / "Test" / "1" / "00003.bin"
    path.write_bytes(b"")
    with pytest.warns(UserWarning, match=r"1 of 5 recordings are empty \(first: .*Test.*00003.bin\)"):
        test = nmnist(root).test
    assert [len(events) for events in test.values] == [1, 1, 0, 1, 1]


@pytest.mark.filterwarnings("ignore:.* recordings are empty")
def test_a_corpus_without_any_event_is_refused(root):
    for path in (root / "NMNIST").rglob("*.bin"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match="none of the 27 recordings of the train split holds an event"):
        nmnist(root)


@pytest.mark.parametrize("make", ["mkdir", "loop", "dangling"])
def test_a_recording_that_is_no_file(root, make):
    path = root / "NMNIST" / "Train" / "1" / "00001.bin"
    path.unlink()
    if make == "mkdir":
        path.mkdir()
    else:
        path.symlink_to(path if make == "loop" else "nowhere")
    with pytest.raises(InputError, match=r"00001\.bin is no file \(a folder, or a link to none\); remove it"):
        nmnist(root)


def test_a_recording_that_may_not_be_read(root, monkeypatch):
    def deny(path, **_):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("tonic.io.read_mnist_file", deny)
    with pytest.raises(InputError, match=r"\.bin cannot be read \(Permission denied\)"):
        nmnist(root)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Train/1/1.bin", r"1/1\.bin has the number of .*1/00001\.bin"),
        ("Train/0/00001.bin", r"1/00001\.bin has the number of .*0/00001\.bin"),
        ("Test/1/60001.bin", r"1/60001\.bin has the number of .*1/00001\.bin"),
        ("Train/1/00000.bin", r"numbered from 1; .*00000\.bin is not called so"),
        ("Train/1/60001.bin", r"60001\.bin is not called so"),  # it was another recording's id
        ("Test/1/10001.bin", r"10001\.bin is not called so"),
        ("Train/1/٣.bin", r"٣\.bin is not called so"),
    ],
)
def test_numbers_that_are_no_identity(root, name, message):
    (root / "NMNIST" / name).write_bytes(event(1, 1, 1, 1))
    with pytest.raises(InputError, match=message):
        nmnist(root)


def test_test_recordings_may_be_numbered_onwards_from_the_training_set(root):
    (root / "NMNIST" / "Test" / "1" / "60010.bin").write_bytes(event(1, 1, 1, 1))
    assert nmnist(root).test.ids.tolist() == [60_000, 60_001, 60_002, 60_003, 60_004, 60_009]


def test_folds_are_parts_of_all_recordings_at_hand(root):
    folds = [nmnist(root, fold=fold, n_folds=5) for fold in range(5)]
    held = np.concatenate([each.test.ids for each in folds])
    assert sorted(held.tolist()) == [*range(30), *range(60_000, 60_005)]
    for each in folds:
        assert len(each.test) == 7
        assert np.bincount(each.test.labels).tolist() in ([3, 4], [4, 3])
        ids = np.concatenate([each.train.ids, each.valid.ids, each.test.ids])
        assert len(set(ids.tolist())) == 35
        for split in (each.train, each.valid, each.test):
            numbers = np.where(split.ids < 60_000, split.ids + 1, split.ids - 59_999)
            assert (split.labels == numbers % 2).all()
    again = nmnist(root, fold=0, n_folds=5)
    assert again.test.ids.tolist() == folds[0].test.ids.tolist()
    with pytest.raises(InputError, match=r"fold must be a whole number of at least 0 and at most 4"):
        nmnist(root, fold=5)


def test_samples_tell_their_sensor(root):
    splits = nmnist(root)
    assert {split.sensor.layout for split in (splits.train, splits.valid, splits.test)} == {(2, 34, 34)}
