"""The one-pass neuron step against snnTorch's own neuron: values and every gradient."""

import numpy as np
import pytest
import snntorch as snn
import torch
from snntorch import surrogate

from rc_vs_snn.kernels.leaky import reference
from rc_vs_snn.kernels.leaky.cell import ATAN, CLEAR, FAST_SIGMOID, Neuron, integrator, leaky

SURROGATES = {FAST_SIGMOID: surrogate.fast_sigmoid, ATAN: surrogate.atan}


@pytest.mark.parametrize("kind", SURROGATES)
@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 4, 6), (1, 1), (0, 7)])
def test_equals_snntorch_over_several_steps(kind, reset, shape):
    torch.manual_seed(0)
    width = shape[-1]
    # Decays beyond the clamp's ends, whose gradient snnTorch cuts.
    decay = (
        torch.linspace(-0.2, 1.2, width).requires_grad_()
        if width > 1
        else torch.tensor([0.8]).requires_grad_()
    )
    threshold = (0.5 + torch.rand(width)).requires_grad_()
    currents = torch.randn(4, *shape).requires_grad_()
    neuron = snn.Leaky(
        beta=decay, threshold=threshold, reset_mechanism=reset, spike_grad=SURROGATES[kind](3.0)
    )
    weights = torch.randn(2, 4, *shape)

    def run(advance):
        membrane, total = torch.zeros(shape), torch.zeros(())
        spikes_of, membranes = [], []
        for step in range(4):
            spikes, membrane = advance(currents[step], membrane)
            total = total + (weights[0, step] * spikes + weights[1, step] * membrane).sum()
            spikes_of.append(spikes)
            membranes.append(membrane)
        gradients = torch.autograd.grad(total, [currents, decay, threshold])
        return torch.stack(spikes_of), torch.stack(membranes), *gradients

    theirs = run(neuron)
    code = snn.SpikingNeuron.reset_dict[reset]
    ours = run(lambda x, v: leaky(x, v, decay, threshold, Neuron(code, kind, 3.0)))
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=0)
    if shape == (5, 7):
        assert 0 < ours[0].mean() < 1
    for mine, expected in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(mine, expected, rtol=1e-4, atol=1e-5)


def test_a_step_needs_no_gradient_of_its_second_output():
    current = torch.ones(2, 3, requires_grad=True)
    spikes, _ = leaky(current, torch.zeros(2, 3), torch.ones(3), torch.ones(3), Neuron(0, FAST_SIGMOID, 1.0))
    spikes.sum().backward()
    torch.testing.assert_close(current.grad, torch.ones(2, 3))  # at the threshold the surrogate's slope is 1


@pytest.mark.parametrize("reset", ["subtract", "zero", "none", "clear"])
def test_equals_the_reference(reset):
    draw = np.random.default_rng(0)
    current, membrane = draw.standard_normal((2, 9, 7), dtype=np.float32) * 2
    decay = draw.uniform(-0.2, 1.2, 7).astype(np.float32)
    threshold = draw.uniform(0.2, 1, 7).astype(np.float32)
    expected = reference.step(current, membrane, decay, threshold, reset)
    neuron = Neuron({**snn.SpikingNeuron.reset_dict, "clear": CLEAR}[reset])
    found = leaky(*map(torch.from_numpy, (current, membrane, decay, threshold)), neuron)
    assert 0 < expected[0].mean() < 1
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_integrator_is_a_neuron_that_never_fires(dtype):
    torch.manual_seed(0)
    current, membrane = torch.randn(2, 5, 3, dtype=dtype) * 5
    decay = torch.tensor([-0.1, 0.5, 1.1], dtype=dtype, requires_grad=True)
    found = integrator(current, membrane, decay)
    torch.testing.assert_close(found, torch.tensor([0, 0.5, 1.0], dtype=dtype) * membrane + current)
    (gradient,) = torch.autograd.grad(found.sum(), decay)
    torch.testing.assert_close(gradient, membrane.sum(0) * torch.tensor([0, 1, 0], dtype=dtype))
