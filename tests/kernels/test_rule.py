"""The rule in NumPy, numba and torch: they agree on ties, silence, NaN and thresholds on the edge."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rc_vs_snn.kernels.rule import any_spike, judge, n_spikes, verdict_of_arrays, verdict_of_tensors

EDGE = np.float32(0.95)
BELOW, ABOVE = (float(np.nextafter(EDGE, np.float32(to))) for to in (0, 1))
VALUES = [0.0, 0.5, BELOW, float(EDGE), ABOVE, 1.0, -1.0, np.inf, -np.inf, np.nan]


def by_hand(row, threshold):
    """The specification, in plain Python."""
    spikes = sum(1 for value in row if value >= threshold)
    unknown = [k for k, value in enumerate(row) if value != value]
    if unknown:
        return unknown[0], spikes, np.nan
    best = max(row)
    return row.index(best), spikes, best


@given(st.lists(st.lists(st.sampled_from(VALUES), min_size=3, max_size=3), min_size=1, max_size=6))
def test_the_three_languages_agree_with_the_specification(rows):
    evidence = np.array(rows, np.float32)
    expected = [by_hand(row.tolist(), EDGE) for row in evidence]
    labels, spikes, best = (np.array(column) for column in zip(*expected, strict=True))
    compiled = [judge(row, EDGE) for row in evidence]
    np.testing.assert_array_equal([found[0] for found in compiled], labels)
    np.testing.assert_array_equal([found[1] for found in compiled], spikes)
    np.testing.assert_array_equal([found[2] for found in compiled], best.astype(np.float32))
    assert [any_spike(row, EDGE) for row in evidence] == [count > 0 for count in spikes]
    for found in (
        (*verdict_of_arrays(evidence), n_spikes(evidence, EDGE)),
        (*verdict_of_tensors(torch.from_numpy(evidence)), n_spikes(torch.from_numpy(evidence), float(EDGE))),
    ):
        np.testing.assert_array_equal(np.asarray(found[0]), labels)
        np.testing.assert_array_equal(np.asarray(found[1]), best.astype(np.float32))
        np.testing.assert_array_equal(np.asarray(found[2]), spikes)


@pytest.mark.parametrize("width", [1, 2, 10, 100])
def test_of_equal_classes_the_lowest_wins(width):
    row = np.ones(width, np.float32)
    assert judge(row, np.float32(1)) == (0, width, 1)
    assert verdict_of_arrays(row[None])[0].tolist() == [0]
    assert verdict_of_tensors(torch.from_numpy(row)[None])[0].tolist() == [0]
