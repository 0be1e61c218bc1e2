"""Evidence as tensor operations: that of NumPy, step by step, for every built-in evidence."""

import numpy as np
import pytest
import torch

from rc_vs_snn.decision.evidence import (
    Consecutive,
    Cumulative,
    Elapsed,
    Entropy,
    Exclusion,
    Gap,
    Margin,
    Membrane,
    Probability,
    Sigmoid,
)
from rc_vs_snn.decision.traced import traced
from rc_vs_snn.registry import evidences

BUILT_IN = [
    Probability(), Sigmoid(), Membrane(), Margin(), Margin("membrane"), Gap(), Entropy(), Exclusion(),
    Exclusion(2), Elapsed(), Cumulative(), Cumulative("mean", "entropy"),
    Cumulative("mean", "membrane", "probability"), Cumulative("sum", "consecutive"),
    Consecutive(), Consecutive(3, "margin", 0.2), Consecutive(2, "cumulative", top=2),
]  # fmt: skip


@pytest.mark.parametrize("evidence", BUILT_IN, ids=repr)
def test_it_is_that_of_numpy(evidence):
    readouts = np.random.default_rng(3).normal(size=(6, 5, 4)).astype(np.float32)  # (T, B, K)
    found = traced(evidence, 4)
    kept = tuple(torch.zeros(5, width) for width in found.widths.values())
    state = None
    for readout in readouts:
        expected, state = evidence.step(readout, state)
        mine, kept = found.step(torch.from_numpy(readout), kept)
        np.testing.assert_allclose(mine.numpy(), expected, atol=1e-6)
        assert [tuple(part.shape) for part in kept] == [(5, width) for width in found.widths.values()]


@pytest.mark.parametrize("n_classes", [1, 2])
def test_few_classes(n_classes):
    readout = np.array([[0.5, -1][:n_classes]], np.float32)
    for evidence in (Margin(), Entropy(), Exclusion(), Exclusion(2), Consecutive(2, top=3)):
        found = traced(evidence, n_classes)
        kept = tuple(torch.zeros(1, width) for width in found.widths.values())
        mine, _ = found.step(torch.from_numpy(readout), kept)
        np.testing.assert_allclose(mine.numpy(), evidence.step(readout, None)[0], atol=1e-6)


def test_every_built_in_evidence_is_one_of_them():
    assert {evidences.name_of(each) for each in BUILT_IN} == set(evidences.names())


def test_what_a_plug_in_computes_is_not_known():
    class Mine(Probability):
        pass

    assert traced(Mine(), 3) is None
    over = Cumulative()
    over.__dict__["inner"] = Mine()
    assert traced(over, 3) is None
