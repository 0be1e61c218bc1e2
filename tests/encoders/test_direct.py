from collections.abc import Callable

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders import Direct


def test_the_image_is_there_at_every_step(row_image: Callable[..., Samples]) -> None:
    code = Direct(3)(row_image([1.0, 0.25, 0.0], [0.5, 0.0, 0.0]))
    image = [[1.0, 0.25, 0.0], [0.5, 0.0, 0.0]]
    assert code.values.tolist() == [image] * 3
    assert code.analogue
    assert code.layout == (1, 3)
    assert code.events_at(2).tolist() == [2, 1]  # pixels other than 0, at every step anew


def test_bytes_are_shares_of_255(all_bytes: Samples) -> None:
    code = Direct()(all_bytes)
    assert code.values.shape == (4, 1, 256)
    for step in range(4):
        assert np.array_equal(code.at(step)[0], (np.arange(256) / 255).astype(np.float32))


def test_one_image_is_held_and_rows_of_it_are_taken(row_image: Callable[..., Samples]) -> None:
    code = Direct(5)(row_image([0.1, 0.2], [0.3, 0.4], [0.5, 0.6]))
    assert code.values.untyped_storage().nbytes() == 3 * 2 * 4
    chosen = code.select([2, 0])
    assert torch.equal(chosen.values, torch.tensor([[0.5, 0.6], [0.1, 0.2]]).expand(5, 2, 2))
