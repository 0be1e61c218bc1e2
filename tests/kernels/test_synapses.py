"""Products over spikes alone and deferred gradients: equal to the plain linear layer."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from rc_vs_snn.kernels.spikes import MOST_SPIKES_PER_ROW, compress
from rc_vs_snn.kernels.synapses import Synapses, deferred_gradients, project


def spikes(rows, width, share, dtype=torch.float32):
    return (torch.rand(rows, width) < share).to(dtype) * torch.randint(1, 3, (rows, width)).to(dtype)


def test_compress_finds_every_spike_and_gives_up_on_dense_input():
    x = torch.tensor([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, -0.5]])
    found = compress(x)
    assert found.start.tolist() == [0, 1, 1, 3]
    assert found.channel.tolist() == [1, 0, 2]
    assert found.value.tolist() == [2.0, 1.0, -0.5]
    assert compress(torch.ones(3, MOST_SPIKES_PER_ROW)) is not None
    assert compress(torch.ones(3, MOST_SPIKES_PER_ROW + 1)) is None
    assert compress(torch.zeros(0, 4)).start.tolist() == [0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 9])
def test_project_equals_the_dense_product(dtype, bias, rows):
    torch.manual_seed(0)
    layer = nn.Linear(50, 13, bias=bias).to(dtype)
    x = spikes(rows, 50, 0.1, dtype)
    torch.testing.assert_close(project(compress(x), layer.weight.t(), layer.bias), layer(x))


@pytest.mark.parametrize("by_source", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_the_layout_changes_neither_draws_nor_checkpoints(by_source, bias):
    torch.manual_seed(0)
    layer = nn.Linear(5, 3, bias=bias)
    torch.manual_seed(0)
    synapses = Synapses(5, 3, bias=bias, by_source=by_source)
    torch.testing.assert_close(synapses.weight, layer.weight, rtol=0, atol=0)
    torch.testing.assert_close(synapses.fan_out, layer.weight.t(), rtol=0, atol=0)
    assert synapses.stored.is_contiguous()
    assert (synapses.fan_out if by_source else synapses.weight).is_contiguous()
    stored = synapses.state_dict()
    assert set(stored) == set(layer.state_dict())
    for name, value in layer.state_dict().items():
        torch.testing.assert_close(stored[name], value, rtol=0, atol=0)
    other = Synapses(5, 3, bias=bias, by_source=not by_source)
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other.weight, layer.weight, rtol=0, atol=0)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Synapses(4, 3, bias=bias, by_source=by_source).load_state_dict(layer.state_dict())


@pytest.mark.parametrize("by_source", [True, False])
def test_sums_go_on_from_what_they_are_added_to(by_source):
    torch.manual_seed(0)
    synapses = Synapses(20, 7, bias=False, by_source=by_source)
    x, onto = torch.randn(4, 20), torch.randn(4, 7)
    expected = onto + x @ synapses.weight.t()
    torch.testing.assert_close(synapses(x, onto=onto), expected)
    with torch.no_grad():
        together = synapses(x, onto=onto.clone())
        torch.testing.assert_close(together, expected)
        alone = synapses(x[2:3], onto=onto[2:3].clone())
    torch.testing.assert_close(alone, together[2:3], rtol=0, atol=0)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("by_source", [True, False])
def test_deferred_gradients_equal_autograds(bias, by_source):
    torch.manual_seed(1)
    first = Synapses(60, 8, bias=bias, sparse=True, by_source=by_source).double()
    second = Synapses(8, 4, bias=bias).double()
    # Dense, sparse and shrinking batches, as a run to the decision has them.
    inputs = [
        spikes(rows, 60, share, torch.float64) for rows, share in ((7, 0.9), (7, 0.05), (3, 0.05), (1, 0.0))
    ]

    def loss(product):
        total = torch.zeros((), dtype=torch.float64)
        for x in inputs:
            total = total + product(second, torch.tanh(product(first, x))).pow(2).sum()
        return total

    with deferred_gradients():
        ours = loss(lambda layer, x: layer(x))
    parameters = [*first.parameters(), *second.parameters()]
    mine = torch.autograd.grad(ours, parameters)
    expected = loss(lambda layer, x: functional.linear(x, layer.weight, layer.bias))
    torch.testing.assert_close(ours, expected)
    for gradient, reference in zip(mine, torch.autograd.grad(expected, parameters), strict=True):
        torch.testing.assert_close(gradient, reference)


def test_gradients_reach_an_input_that_needs_them():
    torch.manual_seed(2)
    layer = Synapses(20, 3, sparse=True)
    x = spikes(4, 20, 0.1).requires_grad_()
    with deferred_gradients():
        out = layer(x)
    (mine,) = torch.autograd.grad(out.pow(2).sum(), x)
    (expected,) = torch.autograd.grad(layer(x).pow(2).sum(), x)
    torch.testing.assert_close(mine, expected)


def test_two_runs_of_one_layer_keep_their_gradients_apart():
    torch.manual_seed(3)
    layer = Synapses(6, 2, sparse=True)
    a, b = torch.rand(3, 6), torch.rand(5, 6)
    with deferred_gradients():
        one = layer(a).sum()
        with deferred_gradients():
            two = layer(b).pow(2).sum()
        one = one + layer(2 * a).sum()
    (second,) = torch.autograd.grad(two, layer.stored)
    (first,) = torch.autograd.grad(one, layer.stored)
    torch.testing.assert_close(first, torch.autograd.grad((layer(a) + layer(2 * a)).sum(), layer.stored)[0])
    torch.testing.assert_close(second, torch.autograd.grad(layer(b).pow(2).sum(), layer.stored)[0])


def test_outside_the_context_and_without_gradients_it_is_the_layer():
    layer = Synapses(6, 2, sparse=True)
    x = torch.rand(3, 6)
    torch.testing.assert_close(layer(x), layer(x), rtol=0, atol=0)
    with torch.no_grad(), deferred_gradients():
        torch.testing.assert_close(layer(x), layer(x))


def test_bfloat16_products_give_float32_gradients():
    torch.manual_seed(4)
    layer = Synapses(30, 4, sparse=True)
    x = spikes(8, 30, 0.3)
    with torch.autocast("cpu", torch.bfloat16), deferred_gradients():
        loss = (layer(x).float() + layer(x).float()).pow(2).sum()
    loss.backward()
    assert layer.stored.grad.dtype == torch.float32
    expected = torch.autograd.grad((2 * layer(x)).pow(2).sum(), layer.stored)[0]
    torch.testing.assert_close(layer.stored.grad, expected, rtol=0.05, atol=0.05)


def test_a_backward_pass_without_weights_leaves_nothing_behind():
    """The gradient of an input alone, then of the weights through fewer steps: only the second's count."""
    torch.manual_seed(5)
    layer = Synapses(6, 2, sparse=True)
    inputs = [torch.rand(3, 6, requires_grad=True) for _ in range(3)]
    with deferred_gradients():
        outputs = [layer(x).pow(2).sum() for x in inputs]
    torch.autograd.grad(sum(outputs), inputs, retain_graph=True)
    outputs[1].backward(retain_graph=True)
    expected = torch.autograd.grad(layer(inputs[1]).pow(2).sum(), layer.stored)[0]
    torch.testing.assert_close(layer.stored.grad, expected)
    outputs[1].backward()  # and again: gradients accumulate as always
    torch.testing.assert_close(layer.stored.grad, 2 * expected)


def test_a_second_derivative_is_refused_and_not_wrong():
    layer, x = Synapses(6, 2), torch.rand(3, 6, requires_grad=True)
    with deferred_gradients():
        loss = layer(x).pow(2).sum()
    (first,) = torch.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.pow(2).sum().backward()
