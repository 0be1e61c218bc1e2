import numpy as np
import pytest

from rc_vs_snn.datasets.spotting import run_end, spotting
from rc_vs_snn.errors import InputError

SMALL = {"n_train": 2000, "n_valid": 100, "n_test": 200}


def bits(text: str) -> np.ndarray:
    return np.array([[int(bit)] for bit in text], dtype=np.float32)[None]  # (1, length, 1)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("0000011111", 4),
        ("1010111110", 8),
        ("0101100000", 9),
        ("0111101111", 10),
        ("1111111111", 4),
        ("0101010101", 10),
    ],
)
def test_end_of_the_first_run_by_hand(text, end):
    assert run_end(bits(text), 5).tolist() == [end]


def test_a_run_of_one_is_there_at_once():
    assert run_end(bits("01"), 1).tolist() == [0]


def test_labels_agree_with_a_search_in_the_text():
    splits = spotting(**SMALL)
    assert splits.train.values.shape == (2000, 25, 1)
    assert splits.train.values.dtype == np.float32
    for values, label in zip(splits.train.values, splits.train.labels, strict=True):
        text = "".join(str(int(bit)) for bit in values[:, 0])
        assert label == ("00000" in text or "11111" in text)


def test_share_of_present():
    # Exact, by counting: sequences of 25 bits whose runs are all shorter than 5.
    absent = [1] + [0] * 25
    for length in range(1, 26):
        absent[length] = sum(absent[length - run] for run in range(1, min(4, length) + 1))
    share = 1 - 2 * absent[25] / 2**25
    labels = spotting(**SMALL).train.labels
    assert abs(labels.mean() - share) < 4 * np.sqrt(share * (1 - share) / len(labels))


def test_a_sample_does_not_depend_on_the_sizes():
    small, large = spotting(**SMALL), spotting(n_train=2100, n_valid=50, n_test=300)
    assert (large.train.values[:2000] == small.train.values).all()
    assert (large.test.values[:200] == small.test.values).all()
    other = spotting(**SMALL, data_seed=1)
    assert (other.test.values != small.test.values).any()


@pytest.mark.parametrize("run_length", [0, 26, 1.5])
def test_a_run_that_does_not_fit(run_length):
    with pytest.raises(InputError, match=f"run_length .* at least 1 and at most 25, got {run_length}"):
        spotting(**SMALL, run_length=run_length)
