from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import RankOrder


def test_hand_worked_ranks(row_image: Callable[..., Samples]) -> None:
    # ranks: 0.9 -> 0, 0.5 -> 1, 0.4 -> 2, 0.1 -> 3; two per step
    assert RankOrder(2)(row_image([0.1, 0.9, 0.0, 0.5, 0.4])).steps.tolist() == [[1, 0, 2, 0, 1]]


def test_equally_bright_pixels_go_by_index(row_image: Callable[..., Samples]) -> None:
    image = row_image([7, 7, 9, 7, 0], dtype=np.uint8)
    assert RankOrder(4)(image).steps.tolist() == [[1, 2, 0, 3, 4]]


def test_fewer_pixels_than_steps_are_spread(row_image: Callable[..., Samples]) -> None:
    assert RankOrder(10)(row_image([0.2, 0.4])).steps.tolist() == [[5, 0]]


def test_contrast_does_not_matter(row_image: Callable[..., Samples]) -> None:
    code = RankOrder(3)(row_image([0.9, 0.6, 0.3], [0.03, 0.02, 0.01]))
    assert code.steps[0].tolist() == code.steps[1].tolist()


@settings(max_examples=30)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=40), st.integers(1, 300))
def test_equals_a_plain_sort_with_equal_counts(pixels: list[int], n_steps: int) -> None:
    values = np.array(pixels)
    lit = sorted((index for index, pixel in enumerate(pixels) if pixel), key=lambda index: -pixels[index])
    expected = [n_steps] * len(pixels)
    for rank, index in enumerate(lit):
        expected[index] = rank * n_steps // len(lit)
    for image in (values.astype(np.uint8), (values / 255).astype(np.float32)):
        steps = RankOrder(n_steps)(Samples(image[None, None], [0], [0], "images", 1)).steps[0].tolist()
        assert steps == expected
    if lit:
        counts = np.bincount([step for step in expected if step < n_steps], minlength=n_steps)
        assert counts.max() - counts.min() <= 1
