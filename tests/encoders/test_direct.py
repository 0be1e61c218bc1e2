import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from rc_vs_snn import FirstSpike, run_to_decision
from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames
from rc_vs_snn.encoders import Direct
from rc_vs_snn.registry import models
from rc_vs_snn.training.objectives import RankCoding


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


@pytest.mark.parametrize("name", ["rc-lstm", "rank-snn", "conv-rank-snn"])
def test_one_image_in_memory_is_read_as_its_copies_are(name: str) -> None:
    """Loops that know strides, and those that know none, in training and at inference."""
    torch.manual_seed(0)
    samples = Samples(np.random.default_rng(0).random((5, 8, 8)), np.arange(5), np.arange(5), "images", 5)
    code = Direct(3)(samples)
    copied = Frames(code.values.contiguous(), code.layout)
    assert not code.values.is_contiguous()
    made = models.build(name, {"hidden": 16}, layout=(8, 8), n_classes=5)
    for training in (True, False):
        found = []
        for encoded in (code, copied):
            model = copy.deepcopy(made).train(training)  # training moves the statistics of a normalisation
            loss, decision = RankCoding(auxiliary=0.5)(model, encoded, torch.arange(5), FirstSpike(0.5))
            loss.backward()
            gradients = [each.grad.clone() for each in model.parameters() if each.grad is not None]
            found.append([loss, *gradients, *map(torch.from_numpy, vars(decision).values())])
        assert len(found[0]) > 8
        assert all(map(torch.equal, *found))
    with torch.no_grad():
        runs = [run_to_decision(made.eval(), encoded, FirstSpike(0.5)) for encoded in (code, copied)]
    assert torch.equal(runs[0].readout, runs[1].readout)
