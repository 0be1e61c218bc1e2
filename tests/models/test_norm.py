"""Batch normalisation with the statistics of step 0, and statistics measured anew."""

import torch
from torch import nn

from rc_vs_snn.models.layers.norm import FirstStepNorm, averaging


def test_the_first_step_normalises_by_its_own_statistics():
    torch.manual_seed(0)
    norm, reference = FirstStepNorm(3), nn.BatchNorm2d(3)
    x = torch.randn(8, 3, 4, 4) * 2 + 1
    torch.testing.assert_close(norm(x, first=True), reference(x))
    torch.testing.assert_close(norm.running_mean, reference.running_mean)
    torch.testing.assert_close(norm.running_var, reference.running_var)


def test_later_steps_depend_on_no_other_row_and_change_nothing():
    torch.manual_seed(1)
    norm = FirstStepNorm(3)
    norm(torch.randn(8, 3) * 2 + 1, first=True)
    before = norm.running_mean.clone()
    x = torch.randn(6, 3)
    together = norm(x, first=False)
    torch.testing.assert_close(norm(x[2:3], first=False), together[2:3])
    torch.testing.assert_close(norm.eval()(x, first=True), together)
    assert torch.equal(norm.running_mean, before)


def test_one_row_at_the_first_step_uses_what_was_learnt():
    norm = FirstStepNorm(3)
    x = torch.randn(1, 3)
    torch.testing.assert_close(norm(x, first=True), norm(x, first=False))


def test_averaging_gives_the_plain_mean_over_batches():
    torch.manual_seed(2)
    norm = FirstStepNorm(2).eval()
    norm.running_mean.fill_(100.0)
    batches = [torch.randn(16, 2) + shift for shift in (0.0, 1.0, 5.0)]
    with averaging([norm]):
        for batch in batches:
            norm(batch, first=True)
            norm(batch * 7, first=False)  # later steps do not count
    torch.testing.assert_close(norm.running_mean, torch.stack([batch.mean(0) for batch in batches]).mean(0))
    torch.testing.assert_close(norm.running_var, torch.stack([batch.var(0) for batch in batches]).mean(0))
    assert not norm.training
