"""Tonic's corpora in their official layouts, written small by the tests."""

import struct
import warnings

import h5py
import numpy as np
import pytest

from rc_vs_snn.contracts import Unread
from rc_vs_snn.datasets import tonic_classes
from rc_vs_snn.datasets.tonic_corpus import ID_STRIDE
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets, encoders
from rc_vs_snn.testing import check_dataset


def load(root, name, **options):
    return datasets.build("tonic", {"class": name, **options}, root=root)


def bin_event(x, y, t, p):
    """An event of N-MNIST: 40 bits, x, y, polarity and 23 bits of microseconds, big-endian."""
    return struct.pack(">BBBH", x, y, p << 7 | t >> 16, t & 0xFFFF)


@pytest.fixture
def nmnist_tree(tmp_path):
    """Twenty training and six test recordings of two digits."""
    for part, size in (("Train", 20), ("Test", 6)):
        for number in range(1, size + 1):
            folder = tmp_path / "NMNIST" / part / str(number % 2)
            folder.mkdir(parents=True, exist_ok=True)
            content = bin_event(number, 33, 10 * number, 1) + bin_event(0, 0, 25_000, 0)
            (folder / f"{number:05}.bin").write_bytes(content)
    return tmp_path


def write_hsd(path, labels, n_classes, seed=0):
    """Write a file as the Heidelberg sets are published: seconds in float16, units, labels, extra."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        times = file.create_dataset("spikes/times", (len(labels),), h5py.special_dtype(vlen=np.float16))
        units = file.create_dataset("spikes/units", (len(labels),), h5py.special_dtype(vlen=np.uint16))
        for row in range(len(labels)):
            times[row] = np.sort(rng.uniform(0, 1.2, 30)).astype(np.float16)
            units[row] = rng.integers(0, 700, 30).astype(np.uint16)
        times[0], units[0] = np.array([0.5, 1.0], np.float16), np.array([699, 7], np.uint16)
        file["labels"] = np.array(labels, np.uint16)
        file["extra/speaker"] = np.zeros(len(labels), np.uint16)
        file["extra/keys"] = np.array([f"word {number}".encode() for number in range(n_classes)])


@pytest.fixture
def gesture_tree(tmp_path):
    """Recordings (x, y, p, t in ms) per user and light, named by their class."""
    for part, users in (("Train", (1, 2, 3, 4)), ("Test", (24, 25))):
        for user in users:
            folder = tmp_path / "DVSGesture" / f"ibmGesture{part}" / f"user{user:02}_fluorescent"
            folder.mkdir(parents=True)
            for label in range(11):
                events = np.array([[label, 127, 0, 0], [user, 3, 1, 12], [5, 6, 1, 40]], np.float64)
                np.save(folder / f"{label}.npy", events)
    return tmp_path


def test_nmnist_recordings_are_read_when_they_are_asked_for(nmnist_tree, monkeypatch):
    opened = []
    read = tonic_classes.corpus_class("NMNIST").__getitem__
    counting = lambda self, index: opened.append(index) or read(self, index)  # noqa: E731
    monkeypatch.setattr(tonic_classes.corpus_class("NMNIST"), "__getitem__", counting)
    splits = load(nmnist_tree, "NMNIST")
    assert opened == []
    assert isinstance(splits.train.values, Unread)
    assert [len(each) for each in (splits.train, splits.valid, splits.test)] == [18, 2, 6]
    assert splits.train.sensor.layout == (2, 34, 34)
    assert splits.class_names[:2] == ("0 - zero", "1 - one")
    few = splits.test.select([0, 5]).read()
    assert len(opened) == 2
    assert few.ids.tolist() == [2 * ID_STRIDE, 2 * ID_STRIDE + 5]
    numbers = [int(events["x"][0]) for events in few.values]  # in the order of the files: 0/00002 ... 1/00005
    assert numbers == [2, 5]
    assert few.labels.tolist() == [0, 1]
    assert few.values[1]["t"].tolist() == [50, 25_000]
    assert few.values[1]["p"].tolist() == [1, 0]
    check_dataset(
        splits.__class__(**{**vars(splits)}), lambda: load(nmnist_tree, "NMNIST")
    ) if False else None


def test_the_real_recordings_are_those_of_nmnist(data_root, tmp_path):
    (tmp_path / "NMNIST").symlink_to(data_root / "nmnist_small")
    ours = datasets.build("nmnist", {}, root=data_root).test
    theirs = load(tmp_path, "NMNIST").test
    order = np.argsort(
        [f"{label}/{sample_id}" for label, sample_id in zip(ours.labels, ours.ids, strict=True)]
    )
    encoder = encoders.build("events", {"n_steps": 32, "pool": 2})
    a, b = encoder(ours.select(order)), encoder(theirs)
    assert theirs.labels.tolist() == ours.labels[order].tolist()
    assert (a.values == b.values).all()


def test_arguments_are_the_class_s_own(nmnist_tree):
    few = load(nmnist_tree, "NMNIST", first_saccade_only=True, n_train=4).train
    assert len(few) == 4
    with pytest.raises(InputError, match=r"takes no 'first_sacade_only' here; .*first_saccade_only"):
        load(nmnist_tree, "NMNIST", first_sacade_only=True)
    with pytest.raises(InputError, match="takes no 'train' here"):
        load(nmnist_tree, "NMNIST", train=True)
    with pytest.raises(InputError, match=r"knows no class 'NMIST'; .*NMNIST"):
        load(nmnist_tree, "NMIST")
    with pytest.raises(InputError, match="needs the option class"):
        datasets.build("tonic", {}, root=nmnist_tree)
    with pytest.raises(InputError, match="faulty must be one of 'refuse'"):
        load(nmnist_tree, "NMNIST", faulty="drop")


def test_nothing_is_downloaded_unasked(tmp_path):
    for name in ("SHD", "NMNIST", "DVSGesture", "POKERDVS"):
        with pytest.raises(InputError, match=rf"no recordings of tonic.datasets.{name} .*download=true"):
            load(tmp_path, name)


@pytest.mark.parametrize("name", ["SHD", "SSC"])
def test_the_heidelberg_sets(tmp_path, name):
    parts = {"train": 12, "test": 6} | ({"valid": 4} if name == "SSC" else {})
    for part, size in parts.items():
        write_hsd(tmp_path / name / f"{name.lower()}_{part}.h5", np.arange(size) % 3, 20)
    splits = load(tmp_path, name)
    sizes = [len(each) for each in (splits.train, splits.valid, splits.test)]
    assert sizes == ([12, 4, 6] if name == "SSC" else [11, 1, 6])
    assert splits.class_names[19] == "word 19"
    assert splits.test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    first = splits.test.select([0]).read().values[0]
    assert first["t"].tolist() == [500_000, 1_000_000]
    assert first["x"].tolist() == [699, 7]
    code = encoders.build("events", {"n_steps": 100, "dt_us": 14_000, "pool": 5})(splits.test)
    assert code.layout == (1, 140)
    assert code.step_ms == 14
    assert np.argwhere(code.values[:, 0].numpy()).tolist() == [[35, 139], [71, 1]]


def test_gestures_in_the_order_of_their_files(gesture_tree):
    splits = load(gesture_tree, "DVSGesture")
    assert splits.class_names[0] == "Hand clapping"
    assert splits.test.labels.tolist() == [0, 1, 10, 2, 3, 4, 5, 6, 7, 8, 9] * 2
    events = splits.test.select([2]).read().values[0]
    assert events["t"].tolist() == [0, 12_000, 40_000]
    assert events["x"].tolist() == [10, 24, 5]
    assert events["p"].tolist() == [0, 1, 1]
    code = encoders.build("events", {"n_steps": 5, "pool": 4, "most": 1})(splits.test.select([2]))
    assert code.layout == (2, 32, 32)
    assert code.values.sum((1, 2)).tolist() == [1, 1, 0, 0, 1]


def faulty_tree(root):
    """Let recordings 1, 2, 3 and 4 of the test set be empty, truncated, out of range and unsorted."""
    files = sorted((root / "NMNIST" / "Test").rglob("*.bin"))
    files[1].write_bytes(b"")
    files[2].write_bytes(bin_event(1, 1, 1, 1) + b"\x01\x02")
    files[3].write_bytes(bin_event(34, 1, 1, 1))
    files[4].write_bytes(bin_event(1, 1, 9, 1) + bin_event(1, 1, 3, 1))


def test_faulty_recordings_are_refused_by_name(nmnist_tree):
    faulty_tree(nmnist_tree)
    test = load(nmnist_tree, "NMNIST").test
    assert len(test) == 6
    for row, fault in enumerate(
        ["is empty", "cannot be read", r"is out of range \(the sensor", "is unsorted"], 1
    ):
        with pytest.raises(InputError, match=rf"recording {row} of tonic.datasets.NMNIST \(test\) {fault}"):
            test.select([row]).read()


def test_faulty_recordings_are_counted_and_left_out(nmnist_tree):
    faulty_tree(nmnist_tree)
    told = r"4 of 6 recordings of tonic.datasets.NMNIST \(test\) are faulty \(1 empty, 1 unsorted, "
    told += r"1 out of range, 1 unreadable; first: recording 1\) and left out"
    for _ in range(2):  # found, and found again on disk
        with pytest.warns(UserWarning, match=told):
            splits = load(nmnist_tree, "NMNIST", faulty="skip")
        assert splits.test.ids.tolist() == [2 * ID_STRIDE, 2 * ID_STRIDE + 5]
        assert len(splits.test.read().values) == 2
    assert len(list((nmnist_tree / ".cache" / "recordings").iterdir())) == 2


def test_empty_and_unsorted_recordings_may_be_kept(nmnist_tree):
    faulty_tree(nmnist_tree)
    test = load(nmnist_tree, "NMNIST", faulty="keep").test
    assert [len(events) for events in test.select([1, 4]).read().values] == [0, 2]
    with pytest.raises(InputError, match=r"recording 3 .* is out of range"):
        test.select([3]).read()


def test_a_corpus_without_an_official_split_is_divided_and_says_so(tmp_path):
    for letter in ("cup", "watch"):
        folder = tmp_path / "NCALTECH101" / "Caltech101" / letter
        folder.mkdir(parents=True)
        for number in range(10):
            (folder / f"image_{number:04}.bin").write_bytes(
                bin_event(3, number, 5, 1) + bin_event(4, 1, 6, 0)
            )
    with pytest.warns(UserWarning, match=r"NCALTECH101 has no official split; 4 test recordings are drawn"):
        splits = load(tmp_path, "NCALTECH101", layout=[2, 180, 240])
    assert [len(each) for each in (splits.train, splits.valid, splits.test)] == [15, 1, 4]
    assert splits.class_names == ("cup", "watch")
    assert np.bincount(splits.test.labels).tolist() == [2, 2]
    assert splits.train.sensor.layout == (2, 180, 240)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = load(tmp_path, "NCALTECH101", layout=[2, 180, 240])
        unknown = load(tmp_path, "NCALTECH101")
    assert again.test.ids.tolist() == splits.test.ids.tolist()
    with pytest.raises(InputError, match="do not tell their sensor's size"):
        encoders.build("events", {})(unknown.train)


def test_transforms_are_tonic_s_and_draw_nothing(nmnist_tree):
    half = {"name": "Downsample", "sensor_size": [34, 34, 2], "target_size": [17, 17]}
    splits = load(nmnist_tree, "NMNIST", transforms=[half], layout=[2, 17, 17])
    assert splits.test.select([0]).read().values[0]["y"].max() == 16
    with pytest.raises(InputError, match=r"transforms DropEvent draw at random, .*use an augmentation"):
        load(nmnist_tree, "NMNIST", transforms=[{"name": "DropEvent", "p": 0.5}])
    frames = {"name": "ToFrame", "sensor_size": [34, 34, 2], "n_time_bins": 3}
    with pytest.raises(InputError, match=r"is ndarray of shape .* and no events .*encoder 'events'"):
        load(nmnist_tree, "NMNIST", transforms=[frames]).test.select([0]).read()
    with pytest.raises(InputError, match=r"no transform 'Denoize'; .*Denoise"):
        load(nmnist_tree, "NMNIST", transforms=[{"name": "Denoize"}])


def test_targets_that_are_no_classes_are_refused(tmp_path):
    path = tmp_path / "EBSSA" / "labelled_ebssa.h5"
    path.parent.mkdir()
    with h5py.File(path, "w") as file:
        for name in ("ts", "x", "y", "p"):
            file[f"one/TD/{name}"] = np.arange(1, 4)
    with pytest.raises(InputError, match=r"target is dict, not a class"):
        load(tmp_path, "EBSSA")


def test_a_model_trains_on_it(nmnist_tree, tmp_path):
    import rc_vs_snn as rv

    settings = ["training.epochs=1", "dataset.name=tonic", "dataset.class=NMNIST"]
    small = rv.load_preset("nmnist", [*settings, "encoder.n_steps=3"])
    records = rv.compare(small, tmp_path / "runs", rv.Execution(data_root=nmnist_tree))
    assert [record.status for record in records] == ["done", "done"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* events .* are dropped", "ignore:all events lie within")
@pytest.mark.parametrize("preset", ["shd", "ssc", "dvs-gesture"])
def test_presets_run_on_small_corpora_in_the_official_layouts(preset, gesture_tree, tmp_path):
    import rc_vs_snn as rv

    for part in ("train", "valid", "test"):
        for name in ("SHD", "SSC"):
            write_hsd(tmp_path / name / f"{name.lower()}_{part}.h5", np.arange(12) % 3, 3)
    comparison = rv.load_preset(preset, ["training.epochs=1", "encoder.n_steps=20"])
    records = rv.compare(comparison, tmp_path / "runs", rv.Execution(data_root=gesture_tree))
    assert [record.status for record in records] == ["done", "done"]
    assert records[0].metrics["mean_ms"] > 0
