"""The LSTM cell against its reference, in both arithmetics."""

import numpy as np
import pytest
import torch

from rc_vs_snn.kernels.lstm import reference
from rc_vs_snn.kernels.lstm.cell import cells
from rc_vs_snn.models.layers import LSTM
from rc_vs_snn.models.layers.lstm import LSTMState


@pytest.mark.parametrize("recording", [True, False])
def test_the_layer_equals_the_reference_over_several_steps(recording):
    torch.manual_seed(0)
    layer = LSTM(6, 5)
    weights = [layer.input.weight, layer.input.bias, layer.recurrent.weight]
    arrays = [weight.detach().numpy() for weight in weights]
    h, c = np.zeros((2, 4, 5))
    state = layer.initial_state(4, torch.empty(0))
    with torch.set_grad_enabled(recording):
        for step in range(5):
            x = torch.randn(4, 6)
            h, c = reference.step(x.numpy(), h, c, *arrays)
            out, state = layer.step(x, state, step)
            np.testing.assert_allclose(out.detach().numpy(), h, rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(state.c.detach().numpy(), c, rtol=1e-5, atol=1e-6)


def test_the_two_arithmetics_agree():
    torch.manual_seed(1)
    gates, c = torch.randn(30, 28) * 4, torch.randn(30, 7)
    recorded = cells(gates.clone().requires_grad_(), c)
    with torch.no_grad():
        compiled = cells(gates.clone(), c)
    for mine, theirs in zip(compiled, recorded, strict=True):
        torch.testing.assert_close(mine, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_an_empty_batch_has_an_empty_state():
    layer = LSTM(6, 5)
    out, state = layer.step(torch.zeros(0, 6), layer.initial_state(0, torch.empty(0)), 0)
    assert out.shape == (0, 5)
    assert isinstance(state, LSTMState)
