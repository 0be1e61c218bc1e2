import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rc_vs_snn.datasets.time_series import time_series
from rc_vs_snn.errors import InputError
from rc_vs_snn.testing import check_dataset


def write(path, lines, classes="a b", dimensions=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    header = f"@univariate false\n@dimensions {dimensions}\n@classLabel true {classes}\n@data\n"
    path.write_text(header + "\n".join(lines) + "\n")


@pytest.fixture
def small(tmp_path):
    """Ten training series of 1 to 5 steps and two for the test; channel 1 is ten times channel 0."""
    lines = []
    for row in range(10):
        values = range(row, row + 1 + row % 5)
        label = "ab"[row % 2]
        lines.append(f"{','.join(map(str, values))}:{','.join(str(10 * v) for v in values)}:{label}")
    write(tmp_path / "Small" / "Small_TRAIN.ts", lines)
    write(tmp_path / "Small" / "Small_TEST.ts", ["1,2:10,20:b", "3:30:a"])
    return tmp_path


def test_a_problem_by_name(small):
    splits = time_series(small, "Small", rate_hz=100.0)
    check_dataset(splits, lambda: time_series(small, "Small", rate_hz=100.0))
    assert splits.class_names == ("a", "b")
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (8, 2, 2)
    assert Counter(splits.valid.labels.tolist()) == {0: 1, 1: 1}
    assert splits.test.ids.tolist() == [10, 11]
    assert splits.test.labels.tolist() == [1, 0]
    assert [each.tolist() for each in splits.test.values] == [[[1, 10], [2, 20]], [[3, 30]]]
    for each, sample_id in zip(splits.train.values, splits.train.ids, strict=True):
        assert each[0].tolist() == [sample_id, 10 * sample_id]
        assert len(each) == 1 + sample_id % 5
    assert splits.train.sensor.rate_hz == 100.0


def test_two_files_by_path(small, monkeypatch):
    by_name = time_series(small, "Small")
    by_root = time_series(small, train="Small/Small_TRAIN.ts", test="Small/Small_TEST.ts")
    monkeypatch.chdir(small / "Small")
    by_folder = time_series(small / "elsewhere", train="Small_TRAIN.ts", test="Small_TEST.ts")
    for other in (by_root, by_folder):
        assert other.train.ids.tolist() == by_name.train.ids.tolist()


def test_equal_lengths_are_one_array(tmp_path):
    write(tmp_path / "E_TRAIN.ts", [f"{row},{row + 1}:0,0:{'ab'[row % 2]}" for row in range(6)])
    write(tmp_path / "E_TEST.ts", ["1,2:0,0:a"])
    assert time_series(tmp_path, "E", n_valid=2).train.values.shape == (4, 2, 2)


def test_standardised_by_the_training_split_alone(small):
    splits = time_series(small, "Small", standardise=True)
    steps = np.concatenate(list(splits.train.values))
    assert np.abs(steps.mean(axis=0)).max() < 1e-6
    assert np.abs(steps.std(axis=0) - 1).max() < 1e-6
    plain = time_series(small, "Small")
    learned = np.concatenate(list(plain.train.values))
    expected = (plain.test.values[0] - learned.mean(axis=0)) / learned.std(axis=0)
    assert np.allclose(splits.test.values[0], expected, atol=1e-6)


def test_a_constant_channel_stays_finite(tmp_path):
    write(tmp_path / "E_TRAIN.ts", [f"{row},{row + 1}:5,5:{'ab'[row % 2]}" for row in range(6)])
    write(tmp_path / "E_TEST.ts", ["1,2:5,5:a"])
    assert (time_series(tmp_path, "E", standardise=True).test.values[:, :, 1] == 0).all()


def test_missing_values_are_refused_or_held(tmp_path):
    write(tmp_path / "M_TRAIN.ts", [f"2,4:6,?:{'ab'[row % 2]}" for row in range(6)])
    write(tmp_path / "M_TEST.ts", ["?,?,7,?,8:1,?,?,2,3:a"])
    with pytest.raises(InputError, match=r"M_TRAIN.ts: 6 of 6 series have missing values .*missing='hold'"):
        time_series(tmp_path, "M")
    splits = time_series(tmp_path, "M", missing="hold")
    assert splits.train.values[0].tolist() == [[2, 6], [4, 6]]
    # channel 0 begins with its mean over train, 3
    assert splits.test.values[0].tolist() == [[3, 1], [3, 1], [7, 1], [7, 2], [8, 3]]


def test_files_that_do_not_belong_together(small):
    write(small / "Small" / "Small_TEST.ts", ["1:2:c"], classes="a c")
    with pytest.raises(InputError, match=r"has the classes \['c'\], which"):
        time_series(small, "Small")
    write(small / "Small" / "Small_TEST.ts", ["1:a"], dimensions=1)
    with pytest.raises(InputError, match=r"TRAIN.ts has 2 channels and .*TEST.ts 1"):
        time_series(small, "Small")


def test_a_test_file_may_name_its_classes_in_another_order(small):
    write(small / "Small" / "Small_TEST.ts", ["1:2:a", "1:2:b"], classes="b a")
    assert time_series(small, "Small").test.labels.tolist() == [0, 1]


def test_a_problem_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no time series at .*None_TRAIN.ts.*get the problem's .ts files"):
        time_series(tmp_path, "None")


def test_the_problems_that_aeon_ships(tmp_path):
    found = importlib.util.find_spec("aeon")
    if found is None:
        pytest.skip("aeon is not installed (its wheel ships a few problems)")
    assert (Path(found.origin).parent / "datasets/data/JapaneseVowels").is_dir()
    splits = time_series(tmp_path)
    assert (len(splits.train), len(splits.valid), len(splits.test)) == (216, 54, 370)
    lengths = [len(each) for part in (splits.train, splits.valid, splits.test) for each in part.values]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert splits.train.values[0].shape[1] == 12
    assert splits.n_classes == 9
