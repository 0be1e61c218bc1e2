"""Nets in whole numbers: what trained ones become, by hand, and how they run, against NumPy's int64 alone."""

import re

import numpy as np
import pytest
import torch

from rc_vs_snn.decision.batch import run_full, run_to_decision
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.fixed import reference
from rc_vs_snn.kernels.fixed.reference import Arithmetic
from rc_vs_snn.models import ConvRankSNN, RankSNN, RecurrentRankSNN, rc_gru, rc_lstm
from rc_vs_snn.models.cost import counter_of
from rc_vs_snn.models.fixed_point import FixedPointNet, Widths
from rc_vs_snn.models.layers.fixed import FixedSynapses
from rc_vs_snn.models.quantising import best_exponent, blocks_of, possible_exponents, whole_weights

NETS = {
    "leaky": lambda **more: RankSNN((6,), 3, hidden=8, layers=2, **more),
    "synaptic": lambda **more: RankSNN((6,), 3, hidden=8, neuron="synaptic", **more),
    "recurrent": lambda **more: RecurrentRankSNN((6,), 3, hidden=8, **more),
    "recurrent synaptic": lambda **more: RecurrentRankSNN((6,), 3, hidden=8, neuron="synaptic", **more),
    "convolutional": lambda **more: ConvRankSNN((8, 9), 3, maps=2, hidden=5, **more),
    "convolutional, each step's own": lambda **more: ConvRankSNN(
        (8, 9), 3, maps=2, hidden=0, readout_decay=0.0, **more
    ),
}
T = 6


def made(name, **more):
    torch.manual_seed(1)
    net = NETS[name](gain=6.0 if name.startswith("conv") else 3.0, **more).eval()
    with torch.no_grad():  # as if trained: every neuron its own decay, every norm its own statistics
        for key, value in net.state_dict().items():
            if key.endswith(("beta", "alpha", "output.decay", "running_var", "norm1.weight", "norm2.weight")):
                value.mul_(torch.rand_like(value) * 0.5 + 0.5)
            elif key.endswith(("running_mean", "norm1.bias")):
                value.add_(0.3 * torch.rand_like(value))
    return net


def with_thresholds(*values):
    net = RankSNN((6,), 3, hidden=len(values), learn_threshold=True)
    with torch.no_grad():
        net["neurons1"].neuron.threshold.copy_(torch.tensor(values))
    return net


def fixed(net, widths, finer=0):
    exponents = {name: found[0] - finer for name, found in possible_exponents(net, widths).items()}
    exponents[list(exponents)[-1]] = widths.arithmetic.membrane_bits // 2  # of output neurons
    blocks = blocks_of(net, exponents, widths)
    return FixedPointNet(blocks, widths.arithmetic, net.evidence).eval(), blocks


def spikes(net, batch=7):
    draws = np.random.default_rng(0)
    return torch.from_numpy(draws.integers(0, 2, (T, batch, net.n_channels))).float()


def readouts(net, inputs):
    state, found = net.initial_state(inputs.shape[1], "cpu"), []
    with torch.no_grad():
        for x in inputs:
            readout, state = net.step(x, state)
            found.append(readout)
    return torch.stack(found)


def in_numpy(blocks, arithmetic, inputs):
    """Return the readouts, one sample at a time, from the whole numbers of blocks alone."""
    found = np.zeros((*inputs.shape[:2], len(blocks[-1].weight)), np.float32)
    for sample in range(inputs.shape[1]):
        membranes, currents, fired = {}, {}, {}
        for t in range(T):
            x = inputs[t, sample].numpy().astype(np.int64)
            for block in blocks:
                sums = (
                    convolved(block, x)
                    if block.stage
                    else block.weight.astype(np.int64) @ x.ravel() + block.bias
                )
                if block.recurrent is not None and t > 0:
                    sums = sums + block.recurrent.astype(np.int64) @ fired[block.name]
                sums = np.moveaxis(sums, 0, -1).reshape(-1, len(block.weight))
                zeros = np.zeros(sums.shape, np.int64)
                extra = (
                    ()
                    if block.current_decay is None
                    else (currents.get(block.name, zeros), block.current_decay)
                )
                constants = (block.shift, block.decay, block.threshold, block.reset, arithmetic)
                membrane = membranes.get(block.name, zeros)
                new, current, out = reference.step(sums, membrane, *constants, *extra)
                membranes[block.name], currents[block.name], fired[block.name] = new, current, out.ravel()
                x = np.moveaxis(out.reshape(*block.shape[1:], -1), -1, 0)
            found[t, sample] = new.ravel() * 2.0 ** -blocks[-1].exponent
    return found


def convolved(block, x):
    """Return the sums of a convolution, ``(map, H, W)``, output by output."""
    stage, x = block.stage, x.reshape(block.stage.inputs)
    padded = np.pad(x, ((0, 0), *((side, side) for side in stage.padding)))
    height, width = stage.kernel
    sums = np.zeros(stage.outputs, np.int64)
    for row in range(stage.outputs[1]):
        for column in range(stage.outputs[2]):
            top, left = row * stage.stride, column * stage.stride
            seen = padded[:, top : top + height, left : left + width]
            sums[:, row, column] = (block.weight.astype(np.int64) * seen).sum((1, 2, 3)) + block.bias
    return sums


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("widths", [Widths(8, Arithmetic(8, 12, "zero")), Widths(16, Arithmetic(16))])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_a_net_runs_as_int64_alone_does(name, widths, reset):
    net, blocks = fixed(made(name, reset=reset), widths, finer=2)
    inputs = spikes(net)
    expected = in_numpy(blocks, widths.arithmetic, inputs)
    assert len(np.unique(expected)) > T  # it is no silent net
    np.testing.assert_array_equal(readouts(net, inputs).numpy(), expected)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_numbers_that_fit_are_the_net_itself(name, reset):
    # Weights of eighths, decays of halves, no normalisation: six steps need 3 + 6 bits behind the point.
    more = {"norm": "none"} if name.startswith("conv") else {}
    torch.manual_seed(0)
    net = NETS[name](gain=4.0, reset=reset, decay=0.5, **more).eval()
    with torch.no_grad():
        for key, value in net.state_dict().items():
            if key.endswith(("weight", "bias")):
                value.copy_((value * 8).round() / 8)
    whole, blocks = fixed(net, Widths(16, Arithmetic(24)), finer=10)
    inputs = spikes(net)
    torch.testing.assert_close(readouts(whole, inputs), readouts(net, inputs), rtol=0, atol=0)
    assert all((block.weight != 0).any() for block in blocks)


@pytest.mark.parametrize("name", NETS)
def test_a_net_costs_what_it_did(name):
    # Sixteen bits of everything: the same spikes, so the same operations.
    net = made(name, learn_decay=False)
    whole, _ = fixed(net, Widths(16, Arithmetic(24, 16)), finer=8)
    inputs = spikes(net)
    totals = []
    for model in (net, whole):
        state, total = model.initial_state(7, "cpu"), []
        with torch.no_grad():
            for x in inputs:
                _, after = model.step(x, state)
                cost = counter_of(model, False)(x, state, after)
                total.append(torch.stack([cost.acs, cost.macs, cost.leaks]))
                state = after
        totals.append(torch.stack(total))
    assert totals[0].sum() > 0
    torch.testing.assert_close(totals[0], totals[1], rtol=0, atol=0)


def test_weights_of_a_neuron_become_whole_numbers_by_hand():
    net = RankSNN((3,), 2, hidden=2, decay=0.9).eval()
    with torch.no_grad():
        net["synapses1"].weight.copy_(torch.tensor([[0.5, -0.25, 0.111], [0.01, 0.0, -0.02]]))
        net["synapses1"].bias.copy_(torch.tensor([0.3, -0.004]))
    widths = Widths(4, Arithmetic(8, 12))
    first, last = blocks_of(net, {"neurons1": 5, "output": 3}, widths)
    # Four bits hold -7 .. 7. Eighths: 4, -2, 1 (of 0.888); of 2^-8, 3 (of 2.56), 0, -5 (of -5.12).
    assert first.weight.tolist() == [[4, -2, 1], [3, 0, -5]]
    assert first.bias.tolist() == [2, -1]  # 0.3 in eighths, 2.4; -0.004 in 2^-8, -1.024
    assert first.shift.tolist() == [5 - 3, 5 - 8]
    assert first.threshold.tolist() == [32, 32]
    assert first.decay.tolist() == last.decay.tolist() == [3686, 3686]  # 0.9 of 4096 is 3686.4
    assert (first.reset, last.reset) == ("subtract", "none")
    assert first.accumulator_bits == 5  # 4 + 2 + 1 + 2 and 3 + 5 + 1 are 9: four bits and a sign


def test_normalisation_folds_in():
    net = made("convolutional")
    blocks = blocks_of(net, dict.fromkeys(possible_exponents(net, Widths(16)), 8), Widths(16))
    norm, conv = net["spiking_norm1"], net["spiking_conv1"]
    x = torch.rand(1, 1, 8, 9)
    with torch.no_grad():
        expected = norm(conv(x), False)
        first = blocks[0]
        scale = torch.from_numpy(2.0 ** (first.shift.astype(float) - first.exponent)).view(-1, 1, 1)
        weight, bias = (torch.from_numpy(each.astype(float)) for each in (first.weight, first.bias))
        sums = torch.conv2d(x.double(), weight, bias, 2, first.stage.padding)
    torch.testing.assert_close(sums * scale, expected.double(), rtol=1e-3, atol=1e-3)


def test_the_best_unit_clips_one_large_weight_for_many_small_ones():
    assert best_exponent(np.array([0.5, -0.25]), 8) == 7  # 64 and -32 of 127
    assert best_exponent(np.zeros(3), 8) == 0
    assert best_exponent(np.array([0.33, 1.01]), 3) == 1  # 1 and 2 of 3
    many = np.append(np.full(10_000, 0.33), 1.01)
    assert best_exponent(many, 3) == 3  # 3 ten thousand times, and 1.01 clipped to 3 / 8


@pytest.mark.parametrize(
    ("net", "told"),
    [
        (lambda: ConvRankSNN((8, 8), 3, maps=2, analogue_stages=1), "layer 'relu1' (ReLU) has no form"),
        (lambda: rc_lstm((6,), 3, hidden=4), "layer 'cell1' (LSTM) has no form"),
        (
            lambda: with_thresholds(0.01, 2.0),
            "layer 'neurons1': membranes of 8 bits cannot hold its thresholds from 0.01 to 2",
        ),
    ],
    ids=["analogue stage", "LSTM", "threshold"],
)
def test_what_has_no_such_form_is_named(net, told):
    with pytest.raises(InputError, match=re.escape(told)):
        possible_exponents(net(), Widths(8, Arithmetic(8)))


@pytest.mark.parametrize(
    ("bits", "arithmetic", "name"),
    [(1, Arithmetic(), "bits"), (8, Arithmetic(25), "membrane_bits"), (8, Arithmetic(8, 17), "decay_bits")],
)
def test_widths_out_of_range_are_refused(bits, arithmetic, name):
    with pytest.raises(InputError, match=rf"^{name} must lie in"):
        Widths(bits, arithmetic)


def test_real_numbers_are_refused_as_input():
    _, blocks = fixed(made("leaky"), Widths())
    with pytest.raises(InputError, match="not real numbers"):
        FixedSynapses(blocks[0])(torch.full((1, 6), 0.5))


def test_counts_are_summed_exactly_beyond_float32():
    net, blocks = fixed(made("leaky"), Widths(16))
    counts = torch.full((1, 6), 3001.0)
    expected = blocks[0].weight.astype(np.int64).sum(1) * 3001 + blocks[0].bias
    assert np.abs(expected).max() > 2**24
    np.testing.assert_array_equal(net["neurons1_synapses"](counts)[0].numpy(), expected)


@pytest.mark.parametrize("make", [rc_lstm, rc_gru])
def test_of_a_gated_net_the_weights_alone_are_whole(make):
    torch.manual_seed(0)
    net = make((6,), 3, hidden=4)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = whole_weights(net, 8)
    assert set(found) == {*before, *(f"{name}.exponent" for name in before if name.endswith("weight"))}
    for name, value in net.state_dict().items():
        if not name.endswith("weight"):
            assert torch.equal(value, before[name])
            continue
        numbers, exponent = found[name], found[f"{name}.exponent"]
        assert np.abs(numbers).max() <= 127
        scale = 2.0 ** -exponent[:, None].astype(float)
        np.testing.assert_array_equal(value.numpy(), (numbers * scale).astype(np.float32))
        assert (np.abs(value - before[name]).numpy() <= scale).all()


def test_a_row_is_the_same_alone_and_in_any_batch():
    net, _ = fixed(made("recurrent"), Widths(8, Arithmetic(8)))
    inputs = spikes(net)
    together = readouts(net, inputs)
    for row in range(7):
        assert torch.equal(readouts(net, inputs[:, row : row + 1])[:, 0], together[:, row])


def test_it_decides_like_any_model():
    net, _ = fixed(made("leaky"), Widths())
    times = torch.from_numpy(np.random.default_rng(1).integers(0, T + 1, (20, 6)))
    code = SpikeTimes(times, T, (6,))
    rule = FirstSpike(0.3)
    with torch.no_grad():
        outcome = run_to_decision(net, code, rule).decision()
        evidence = run_full(net, code).transpose(0, 1).numpy()
    whole = decide(evidence, rule)
    np.testing.assert_array_equal(outcome.label, whole.label)
    np.testing.assert_array_equal(outcome.step, whole.step)
    assert len(np.unique(outcome.step)) > 1
