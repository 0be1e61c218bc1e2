from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Latency
from rc_vs_snn.encoders.images import latency_steps
from rc_vs_snn.errors import InputError


def test_hand_worked_bins(row_image: Callable[..., Samples]) -> None:
    image = row_image([1.0, 0.75, 0.5, 0.3, 0.25, 0.2, 0.0])
    assert Latency(4)(image).steps.tolist() == [[0, 1, 2, 2, 3, 3, 4]]
    assert Latency(4, background="spike")(image).steps.tolist() == [[0, 1, 2, 2, 3, 3, 3]]


def test_hand_worked_bins_of_8_bit_images(row_image: Callable[..., Samples]) -> None:
    image = row_image([255, 192, 191, 128, 127, 64, 63, 1, 0], dtype=np.uint8)
    assert Latency(4)(image).steps.tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4]]


def test_one_step_shows_every_lit_pixel(row_image: Callable[..., Samples]) -> None:
    assert Latency(1)(row_image([1.0, 0.001, 0.0])).steps.tolist() == [[0, 0, 1]]


def test_layout_is_the_images_shape() -> None:
    values = np.zeros((2, 3, 4, 5), np.uint8)
    code = Latency()(Samples(values, [0, 0], [0, 1], "images", 1))
    assert code.layout == (3, 4, 5)
    assert code.n_channels == 60
    assert not code.hold


def authors_step(level: int, n_steps: int) -> int:
    """The bin of grey level ``level``, straight from the definition: level/255 in (k/T, (k+1)/T]."""
    for k in range(n_steps):
        if Fraction(k, n_steps) < Fraction(level, 255) <= Fraction(k + 1, n_steps):
            return n_steps - 1 - k
    return n_steps - 1  # intensity 0 is below every bin: the last step


@pytest.mark.parametrize("n_steps", [1, 2, 3, 5, 10, 15, 17, 20, 51, 85, 100, 255, 256, 300])
def test_all_grey_levels_fall_into_the_authors_bins(all_bytes: Samples, n_steps: int) -> None:
    expected = [authors_step(level, n_steps) for level in range(256)]
    assert Latency(n_steps, background="spike")(all_bytes).steps[0].tolist() == expected


@given(level=st.integers(0, 255), n_steps=st.integers(1, 10**6))
def test_the_authors_bins_at_any_number_of_steps(level: int, n_steps: int) -> None:
    step = latency_steps(np.array([level / 255]), n_steps, "spike").item()
    assert step == n_steps - max(-(-level * n_steps // 255), 1)


def test_grey_levels_on_an_edge_spike_with_the_darker_bin(row_image: Callable[..., Samples]) -> None:
    edges = row_image([153, 154, 204, 205], dtype=np.uint8)  # 0.6 and 0.8, and just above
    assert Latency(10)(edges).steps.tolist() == [[4, 3, 2, 1]]
    assert Latency(20)(edges).steps.tolist() == [[8, 7, 4, 3]]


@settings(max_examples=30)
@given(n_steps=st.integers(1, 400), dtype=st.sampled_from([np.float32, np.float64]))
def test_a_float_copy_of_an_8_bit_image_has_the_same_code(n_steps: int, dtype: type) -> None:
    level = np.arange(256).reshape(1, 16, 16)
    bytes_ = Samples(level.astype(np.uint8), [0], [0], "images", 1)
    floats = Samples((level / 255).astype(dtype), [0], [0], "images", 1)
    assert Latency(n_steps)(floats).steps.tolist() == Latency(n_steps)(bytes_).steps.tolist()


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 300))
def test_brighter_is_never_later(pixels: list[float], n_steps: int) -> None:
    ordered = np.sort(np.array(pixels))[None, None, :]
    steps = Latency(n_steps)(Samples(ordered, [0], [0], "images", 1)).steps[0].tolist()
    assert steps == sorted(steps, reverse=True)
    assert all((step == n_steps) == (pixel == 0) for step, pixel in zip(steps, ordered[0, 0], strict=True))


def test_mnist_counts_of_the_paper(mnist_test: Samples) -> None:
    spikes = Latency(20, background="spike")(mnist_test).steps.numpy()
    assert np.mean(np.sum(spikes == 0, axis=1)) == pytest.approx(63.6, abs=0.05)
    assert np.mean(np.sum(spikes == 19, axis=1)) == pytest.approx(640, abs=0.5)
    clipped = Latency(20)(mnist_test).steps.numpy()
    assert np.mean(np.sum(clipped < 20, axis=1)) == pytest.approx(151, abs=0.5)
    assert np.array_equal(clipped == 20, mnist_test.values.reshape(-1, 784) == 0)


def test_unknown_background() -> None:
    with pytest.raises(InputError, match=r"'clip'.*'spike'.*got 'drop'"):
        Latency(background="drop")  # type: ignore[arg-type]
