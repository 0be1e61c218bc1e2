from collections.abc import Callable

import numpy as np
import pytest
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Rate
from rc_vs_snn.errors import InputError


def test_full_intensity_always_spikes_and_none_never(row_image: Callable[..., Samples]) -> None:
    code = Rate(50)(row_image([1.0, 0.0]))
    assert code.values[:, 0].tolist() == [[1, 0]] * 50
    assert code.values.dtype == torch.uint8


def test_gain_scales_and_saturates(row_image: Callable[..., Samples]) -> None:
    samples = row_image([0.5, 0.25], dtype=np.float32)
    spikes = Rate(4000, gain=2.0)(samples).values[:, 0].double()
    assert float(spikes[:, 0].mean()) == 1
    # four standard deviations of 4000 fair coins
    assert float(spikes[:, 1].mean()) == pytest.approx(0.5, abs=4 * 0.5 / 4000**0.5)


def test_mean_rate_is_the_intensity(all_bytes: Samples) -> None:
    rate = Rate(2000)(all_bytes, seed=5).values[:, 0].double().mean(0).numpy()
    intensity = np.arange(256) / 255
    deviation = np.sqrt(intensity * (1 - intensity) / 2000)
    assert np.all(np.abs(rate - intensity) <= 5 * deviation)


def test_steps_are_drawn_independently(row_image: Callable[..., Samples]) -> None:
    spikes = Rate(4000)(row_image([0.5, 0.5])).values[:, 0].double().numpy()
    assert abs(np.corrcoef(spikes[1:, 0], spikes[:-1, 0])[0, 1]) < 4 / 4000**0.5
    assert abs(np.corrcoef(spikes[:, 0], spikes[:, 1])[0, 1]) < 4 / 4000**0.5


def test_seed_and_id_key_the_draws(all_bytes: Samples) -> None:
    values = np.concatenate([all_bytes.values, all_bytes.values])
    samples = Samples(values, [0, 0], [3, 8], "images", 1)
    code = Rate(10)(samples, seed=1).values
    assert not torch.equal(code[:, 0], code[:, 1])
    assert not torch.equal(code, Rate(10)(samples, seed=2).values)
    moved = Samples(values, [0, 0], [8, 5], "images", 1)
    assert torch.equal(Rate(10)(moved, seed=1).values[:, 0], code[:, 1])


def test_a_longer_code_begins_with_the_shorter(all_bytes: Samples) -> None:
    assert torch.equal(Rate(20)(all_bytes).values[:8], Rate(8)(all_bytes).values)


@pytest.mark.parametrize("gain", [0.0, -1.0, float("nan"), float("inf")])
def test_gain_range(gain: float) -> None:
    with pytest.raises(InputError, match="gain must be above 0"):
        Rate(gain=gain)
