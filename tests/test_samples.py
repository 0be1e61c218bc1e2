"""Samples of different lengths, and samples that are read when they are asked for."""

import numpy as np
import pytest
import torch

import rc_vs_snn as rv
from rc_vs_snn import InputError, Samples, SpikeTimes
from rc_vs_snn.contracts import Sensor, Unread
from rc_vs_snn.datasets.digits import digits
from rc_vs_snn.training.ahead import one_ahead

MIXED = [np.full((length, 2), length, np.float32) for length in (3, 1, 5)]


class OnDisk:
    """Hands out images one by one and notes which."""

    def __init__(self, n_samples, fault=None):
        self.n_samples, self.fault, self.read = n_samples, fault, []

    def __len__(self):
        return self.n_samples

    def __getitem__(self, row):
        if row == self.fault:
            raise OSError("the disk is gone")
        self.read.append(row)
        return np.full((2, 2), row, np.uint8)


def signals(values):
    return Samples(values, np.arange(len(values)) % 2, np.arange(len(values)), "signals", 2)


def test_signals_may_differ_in_length():
    samples = signals(MIXED)
    assert [len(each) for each in samples.values] == [3, 1, 5]
    assert [len(each) for each in samples.select([2, 0]).values] == [5, 3]
    assert signals([np.zeros((4, 2))] * 3).values.shape == (3, 4, 2)  # equal ones are one array


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([np.zeros((3, 2)), np.zeros(4)], r"signal 1 must be numbers of shape \(length, channel\)"),
        ([np.zeros((3, 2)), np.zeros((4, 3))], "signal 1 has 3 channels, signal 0 has 2"),
        ([np.zeros((3, 2)), np.full((4, 2), np.nan)], "signal 1 holds NaN"),
        ([np.zeros((3, 2)), np.zeros((0, 2))], "signal 1 must be numbers"),
        ([np.zeros((3, 2)), None], "signal 1 must be numbers"),
        ([np.zeros((3, 2)), np.array([["a", "b"]])], "signal 1 must be numbers"),
    ],
)
def test_signals_that_are_none_are_named(values, says):
    with pytest.raises(InputError, match=says):
        signals(values)


def test_nothing_is_read_before_it_is_asked_for():
    disk = OnDisk(1000)
    samples = Samples(disk, np.zeros(1000, int), np.arange(1000), "images", 2)
    part = samples.select(np.arange(1000) % 2 == 1).select([3, 0])
    assert disk.read == []
    assert part.read().values[:, 0, 0].tolist() == [7, 1]
    assert disk.read == [7, 1]
    assert part.intensities().shape == (2, 2, 2)


def test_a_memory_mapped_array_is_read_batch_by_batch(tmp_path):
    np.save(tmp_path / "images.npy", np.arange(48, dtype=np.uint8).reshape(3, 4, 4))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    samples = Samples(mapped, [0, 1, 0], [0, 1, 2], "images", 2)
    assert isinstance(samples.values, Unread)
    assert samples.select([1]).read().values.tolist() == mapped[1:2].tolist()


def test_an_hdf5_array_is_read_batch_by_batch(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "signals.h5", "w") as file:
        file["x"] = np.arange(24.0).reshape(3, 4, 2)
        samples = signals(file["x"])
        assert isinstance(samples.values, Unread)
        assert samples.select([2, 0]).read().values[:, 0, 0].tolist() == [16, 0]


def test_what_cannot_be_read_is_named():
    samples = Samples(OnDisk(5, fault=3), np.zeros(5, int), np.arange(5), "images", 2)
    with pytest.raises(InputError, match=r"sample 3 cannot be read \(OSError: the disk is gone\)"):
        samples.read()


def test_what_is_read_is_checked():
    wrong = Samples([np.zeros((2, 2))], [0], [0], "images", 2)
    assert wrong.values.shape == (1, 2, 2)

    class Ragged(OnDisk):
        def __getitem__(self, row):
            return np.zeros((row + 1, 2), np.uint8)

    samples = Samples(Ragged(2), [0, 1], [0, 1], "images", 2)
    with pytest.raises(InputError, match="images"):
        samples.read()


def test_a_model_trains_alike_on_what_is_read_and_on_what_lies_in_memory(tmp_path):
    """Decisions and weights are the same, whether the digits lie in memory or are mapped from a file."""

    def mapped(root, **_):
        found = {}
        full = digits()
        for name in ("train", "valid", "test"):
            part = getattr(full, name)
            np.save(tmp_path / f"{name}.npy", part.values)
            values = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
            found[name] = Samples(values, part.labels, part.ids, "images", 10)
        return rv.Splits(**found, class_names=full.class_names)

    small = rv.load_preset("digits", ["model.hidden=8"]).with_training(epochs=1)
    (plain, _), (read, _) = (
        rv.compare(each, out=tmp_path / name)
        for name, each in (("memory", small), ("disk", small.with_dataset(mapped)))
    )
    assert plain.decisions()["label"].tolist() == read.decisions()["label"].tolist()
    assert plain.history[0]["train_loss"] == read.history[0]["train_loss"]


def test_one_ahead_keeps_order_and_tells_of_faults():
    assert list(one_ahead(lambda key: key * 2, range(5))) == [0, 2, 4, 6, 8]
    assert list(one_ahead(str, [])) == []

    def read(key):
        if key == 2:
            raise InputError("not this one")
        return key

    got = []
    with pytest.raises(InputError, match="not this one"):
        got.extend(iter_until(one_ahead(read, range(4)), got))
    assert got == [0, 1]


def iter_until(iterator, got):
    for each in iterator:
        got.append(each)
    return []


def test_a_sensor_tells_what_it_is():
    sensor = Sensor(layout=(2, 34, 34), rate_hz=8000, channels=("left", "right"))
    samples = Samples(np.zeros((1, 3, 2)), [0], [0], "signals", 1, sensor)
    assert samples.select([0]).sensor == sensor
    for wrong in ({"rate_hz": 0}, {"rate_hz": np.nan}, {"layout": (0, 3)}, {"layout": (2.0, 3)}):
        with pytest.raises(InputError):
            Sensor(**wrong)


def test_mixed_signals_become_a_code_by_their_encoder():
    def rising(samples, seed=0):
        lengths = np.array([len(each) for each in samples.values])
        return SpikeTimes(np.minimum(lengths[:, None], 5), 5, (1,), lengths=lengths)

    code = rising(signals(MIXED))
    assert code.lengths.tolist() == [3, 1, 5]
    assert torch.equal(code.select([1]).lengths, torch.tensor([1]))
