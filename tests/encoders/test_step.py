from collections.abc import Callable

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Latency, StepCode


def test_a_pixel_stays_on(row_image: Callable[..., Samples]) -> None:
    code = StepCode(4)(row_image([1.0, 0.5, 0.2, 0.0]))
    frames = [code.at(step)[0].tolist() for step in range(4)]
    assert frames == [[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]]


def test_background_may_switch_on_last(row_image: Callable[..., Samples]) -> None:
    code = StepCode(3, background="spike")(row_image([0.0]))
    assert [code.at(step).item() for step in range(3)] == [0, 0, 1]


def test_step_t_shows_the_image_thresholded(all_bytes: Samples) -> None:
    code = StepCode(10)(all_bytes)
    level = np.arange(256)
    for step in range(9):
        # intensity > 1 - (step + 1) / 10, in whole numbers
        assert np.array_equal(code.at(step)[0].numpy() == 1, level * 10 > 255 * (9 - step))


def test_switches_on_at_the_latency_step(all_bytes: Samples) -> None:
    assert StepCode(7)(all_bytes).steps.tolist() == Latency(7)(all_bytes).steps.tolist()
