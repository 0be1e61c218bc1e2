from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Phase
from rc_vs_snn.errors import InputError


def test_hand_worked_bits(row_image: Callable[..., Samples]) -> None:
    # 3 bits: 0.7 -> floor(5.6) = 5 = 101, 1.0 -> 7 = 111 (the highest level), 0.1 -> 0
    code = Phase(4, period=3)(row_image([0.7, 1.0, 0.1]))
    assert code.values[:, 0].tolist() == [[0.5, 0.5, 0], [0, 0.25, 0], [0.125, 0.125, 0], [0.5, 0.5, 0]]


def test_unweighted_spikes_are_ones(row_image: Callable[..., Samples]) -> None:
    code = Phase(3, period=3, weighted=False)(row_image([0.7]))
    assert code.values[:, 0, 0].tolist() == [1, 0, 1]
    assert code.values.dtype == torch.uint8


def test_eight_phases_are_the_bits_of_an_8_bit_image(all_bytes: Samples) -> None:
    code = Phase(8, weighted=False)(all_bytes)
    assert np.array_equal(
        code.values[:, 0].numpy(), np.unpackbits(np.arange(256, dtype=np.uint8)[None], axis=0)
    )


@settings(max_examples=30)
@given(intensity=st.floats(0, 1), period=st.integers(1, 16), n_periods=st.integers(1, 3))
def test_every_period_sums_to_the_quantised_intensity(intensity: float, period: int, n_periods: int) -> None:
    sample = Samples(np.full((1, 1, 1), intensity), [0], [0], "images", 1)
    values = Phase(period * n_periods, period)(sample).values.reshape(n_periods, period)
    for total in values.sum(1).tolist():
        assert total == values[0].sum()
        assert -1e-6 < intensity - total <= 2.0**-period


@pytest.mark.parametrize("period", [0, 17, 2.5, True])
def test_period_range(period: int) -> None:
    with pytest.raises(InputError, match="from 1 to 16"):
        Phase(period=period)
