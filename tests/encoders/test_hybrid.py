from collections.abc import Callable

import numpy as np
import pytest

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Hybrid, Latency
from rc_vs_snn.errors import InputError


def test_analogue_first_then_one_spike(row_image: Callable[..., Samples]) -> None:
    code = Hybrid(3)(row_image([1.0, 0.25, 0.0]))
    assert code.values[:, 0].tolist() == [[1.0, 0.25, 0], [1, 0, 0], [0, 1, 0]]


def test_background_may_spike_last(row_image: Callable[..., Samples]) -> None:
    code = Hybrid(4, background="spike")(row_image([0.0]))
    assert code.values[:, 0, 0].tolist() == [0, 0, 0, 1]


def test_spikes_are_those_of_latency_one_step_later(all_bytes: Samples) -> None:
    code, latency = Hybrid(9)(all_bytes), Latency(8)(all_bytes)
    assert np.allclose(code.at(0)[0], np.arange(256) / 255)
    for step in range(8):
        assert code.at(step + 1).tolist() == latency.at(step).tolist()


def test_needs_two_steps() -> None:
    with pytest.raises(InputError, match="at least 2"):
        Hybrid(1)
