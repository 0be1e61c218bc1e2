"""Corpora are read once for a command, and never handed out changed."""

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.config import SOURCE_HASH
from rc_vs_snn.experiment.corpora import corpora_kept, corpus, keep_corpora
from rc_vs_snn.registry import datasets
from rc_vs_snn.registry.identity import UNKNOWN

DIGITS = rv.Part("digits")


class Loader:
    """Makes splits, and counts how often."""

    def __init__(self, values=None):
        self.values, self.loaded = values, 0

    def __call__(self):
        self.loaded += 1
        values = np.zeros((6, 2, 2), np.uint8) if self.values is None else self.values
        samples = rv.Samples(values, np.arange(6) % 2, np.arange(6), "images", n_classes=2)
        first, second, third = (samples.select(np.arange(start, start + 2)) for start in (0, 2, 4))
        return rv.Splits(first, second, third, ("a", "b"))


@pytest.fixture
def load():
    with corpora_kept("a command"):
        yield Loader()


def test_the_same_part_and_folder_are_read_once(load, tmp_path):
    one = corpus(DIGITS, tmp_path, load)
    assert corpus(rv.Part("digits"), tmp_path, load) is one
    assert load.loaded == 1
    corpus(rv.Part("digits", {"split_seed": 1}), tmp_path, load)
    corpus(DIGITS, tmp_path / "elsewhere", load)
    assert load.loaded == 3


@pytest.mark.parametrize("array", ["values", "labels", "ids"])
def test_what_somebody_has_written_into_is_read_again(load, tmp_path, array):
    spoilt = corpus(DIGITS, tmp_path, load)
    getattr(spoilt.test, array)[-1] += 1
    again = corpus(DIGITS, tmp_path, load)
    assert again is not spoilt
    assert (getattr(again.test, array)[-1] != getattr(spoilt.test, array)[-1]).any()
    assert corpus(DIGITS, tmp_path, load) is again


def test_recordings_are_compared_one_by_one(tmp_path):
    dtype = [("t", "<i8"), ("x", "<i2")]
    values = np.empty(6, object)
    values[:] = [np.array([(number, 0)], dtype) for number in range(6)]

    class Recordings(Loader):
        def __call__(self):
            self.loaded += 1
            copies = np.empty(6, object)
            copies[:] = [each.copy() for each in values]
            samples = rv.Samples(copies, np.arange(6) % 2, np.arange(6), "events", n_classes=2)
            parts = (samples.select(np.arange(start, start + 2)) for start in (0, 2, 4))
            return rv.Splits(*parts, ("a", "b"))

    load = Recordings()
    with corpora_kept("a command"):
        first = corpus(DIGITS, tmp_path, load)
        assert corpus(DIGITS, tmp_path, load) is first
        first.train.values[1]["x"][0] = 7
        assert corpus(DIGITS, tmp_path, load).train.values[1]["x"][0] == 0
    assert load.loaded == 2


def test_two_are_kept_at_most_and_the_one_used_last_longest(load, tmp_path):
    parts = [rv.Part("digits", {"split_seed": number}) for number in range(3)]
    for number in (0, 1, 0, 2, 0):
        corpus(parts[number], tmp_path, load)
    assert load.loaded == 3
    corpus(parts[1], tmp_path, load)
    assert load.loaded == 4


def test_nothing_is_kept_for_another_command_or_after_one(load, tmp_path):
    corpus(DIGITS, tmp_path, load)
    keep_corpora("another command")
    corpus(DIGITS, tmp_path, load)
    keep_corpora(None)
    corpus(DIGITS, tmp_path, load)
    corpus(DIGITS, tmp_path, load)
    assert load.loaded == 4


def test_what_cannot_be_told_from_others_or_is_read_from_disk_is_not_kept(load, tmp_path):
    unknown = rv.Part("somewhere:dataset", {SOURCE_HASH: UNKNOWN})
    unread = np.memmap(tmp_path / "values", np.uint8, "w+", shape=(6, 2, 2))
    from_disk = Loader(unread)
    for _ in range(2):
        corpus(unknown, tmp_path, load)
        corpus(DIGITS, tmp_path, from_disk)
    assert (load.loaded, from_disk.loaded) == (2, 2)


def test_a_comparison_reads_its_corpus_once(tmp_path, monkeypatch):
    datasets.names()  # they are imported when somebody asks
    real, made = datasets._factories["digits"], []

    def counted(*arguments, **options):
        made.append(options)
        return real(*arguments, **options)

    monkeypatch.setitem(datasets._factories, "digits", counted)
    small = ["encoder.n_steps=4", "training.epochs=1", "models.rc-lstm.model.hidden=4"]
    comparison = rv.load_preset("digits", [*small, "models.rank-snn.model.hidden=4"])
    rv.compare(comparison, tmp_path, rv.Execution(device="cpu"))
    assert len(made) == 1
