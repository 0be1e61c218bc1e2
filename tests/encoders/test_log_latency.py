from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch import spikegen

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import LogLatency
from rc_vs_snn.errors import InputError


def _reference(intensity: np.ndarray, n_steps: int, **options: float) -> list[int]:
    """snnTorch's step of each pixel of one sample (n_steps where it never spikes)."""
    # double: with floats, epsilon = 1e-7 drowns in the rounding of thresholds that are not small
    pixels = torch.from_numpy(intensity).double()
    spikes = spikegen.latency(pixels, n_steps, clip=True, **options)  # (T, C)
    return torch.where(spikes.any(0), spikes.argmax(0), n_steps).tolist()


def test_hand_worked_steps(row_image: Callable[..., Samples]) -> None:
    # tau = 2: 2 ln(0.5 / 0.25) = 1.39, 2 ln(0.3 / 0.05) = 3.58, 2 ln(1 / 0.75) = 0.58; 0.26: 6.5, lost
    code = LogLatency(5, tau_steps=2, threshold=0.25)(row_image([1.0, 0.5, 0.3, 0.26, 0.25, 0.1, 0.0]))
    assert code.steps.tolist() == [[1, 1, 4, 5, 5, 5, 5]]


def test_slowest_spike_comes_at_the_last_step(row_image: Callable[..., Samples]) -> None:
    # with threshold 0.2 and epsilon 0.2 the slowest takes ln 2, so t = 4 ln(v / (v - 0.2)) / ln 2
    code = LogLatency(5, threshold=0.2, epsilon=0.2)(row_image([1.0, 0.5, 0.4, 0.3, 0.21, 0.2]))
    assert code.steps.tolist() == [[1, 3, 4, 4, 4, 5]]


@pytest.mark.parametrize("n_steps", [2, 5, 10, 20, 37, 100])
@pytest.mark.parametrize("threshold", [0.01, 0.2001])
def test_equals_snntorch_on_a_sample_with_background(
    all_bytes: Samples, n_steps: int, threshold: float
) -> None:
    expected = _reference(np.arange(256) / 255, n_steps, threshold=threshold, normalize=True)
    assert LogLatency(n_steps, threshold=threshold)(all_bytes).steps[0].tolist() == expected


@settings(max_examples=30)
@given(
    pixels=st.lists(st.integers(0, 255), min_size=1, max_size=30),
    n_steps=st.integers(1, 60),
    tau=st.sampled_from([0.7, 5.3, 41.0]),
)
def test_equals_snntorch_with_a_time_constant(pixels: list[int], n_steps: int, tau: float) -> None:
    # without normalisation snnTorch, too, codes each pixel on its own
    image = np.array(pixels, np.uint8)
    code = LogLatency(n_steps, tau_steps=tau)(Samples(image[None, None], [0], [0], "images", 1))
    assert code.steps[0].tolist() == _reference(image / 255, n_steps, tau=tau, bypass=True)


def test_one_intensity_has_one_step_where_snntorch_gives_two(row_image: Callable[..., Samples]) -> None:
    dark, bright = [0.5, 0.0], [0.5, 0.3]
    options = {"threshold": 0.2, "normalize": True}
    assert _reference(np.array(dark), 10, **options)[0] != _reference(np.array(bright), 10, **options)[0]
    steps = LogLatency(10, threshold=0.2)(row_image(dark, bright)).steps[:, 0]
    assert steps[0] == steps[1]


def test_at_or_below_threshold_never_spikes(all_bytes: Samples) -> None:
    for dtype in (np.float32, np.float64):
        image = (np.arange(256) / 255).astype(dtype).reshape(1, 16, 16)
        steps = LogLatency(10, threshold=51 / 255)(Samples(image, [0], [0], "images", 1)).steps[0]
        assert bool((steps[:52] == 10).all())
        assert bool((steps[52:] < 10).all())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tau_steps": 0.0}, "tau_steps must be above 0"),
        ({"threshold": 0.0}, "threshold must lie between 0 and 1"),
        ({"threshold": 1.0}, "threshold must lie between 0 and 1"),
        ({"threshold": 0.5, "epsilon": 0.5}, "epsilon must lie in"),
        ({"epsilon": 0.0}, "epsilon must lie in"),
    ],
)
def test_ranges(options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LogLatency(**options)
