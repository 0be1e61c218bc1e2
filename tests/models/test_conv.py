"""The shared convolutional block, its spiking variants, and their cost by hand."""

import math
from functools import partial

import pytest
import torch
from torch.nn import functional

from rc_vs_snn import FirstSpike, Frames, InputError, run_to_decision
from rc_vs_snn.experiment.judging import _trace_batch
from rc_vs_snn.models import ConvRankSNN, ConvRCLSTM
from rc_vs_snn.models.cost import Signal
from rc_vs_snn.models.layers.conv import Conv, stages
from rc_vs_snn.training.objectives import RankCoding

BUILD = {
    "lstm": ConvRCLSTM,
    "spiking": ConvRankSNN,
    "analogue first": partial(ConvRankSNN, analogue_stages=1),
    "analogue convolutions": partial(ConvRankSNN, analogue_stages=4),
    "six convolutions": partial(ConvRankSNN, depth=6),
    "lstm, six convolutions": partial(ConvRCLSTM, depth=6),
    "no hidden layer": lambda *sizes, hidden=0, **options: ConvRankSNN(
        *sizes, hidden=min(hidden, 0), **options
    ),
}
HYBRIDS = ["analogue first", "analogue convolutions"]
SYNAPSES = ("conv", "spiking_conv", "hidden_synapses")
NORMS = ("norm", "spiking_norm", "hidden_norm")


def numbered(model, name):
    """The layers of one name, with a number or without."""
    return [layer for key, layer in model.layers.items() if key.rstrip("0123456789") == name]


def test_the_stages_halve_28_pixels_twice():
    assert [stage.outputs for stage in stages((28, 28), 16)] == [
        (16, 14, 14),
        (16, 14, 14),
        (32, 7, 7),
        (32, 7, 7),
    ]
    assert [stage.outputs for stage in stages((3, 9, 10), 2)] == [(2, 5, 5), (2, 5, 5), (4, 3, 3), (4, 3, 3)]


def test_bands_are_convolved_over_frequency_alone():
    """Across one row a kernel is one wide; across ON and OFF it sees both, and one row is left."""
    for layout in ((40,), (1, 40), (1, 1, 40)):
        assert [stage.kernel for stage in stages(layout, 4)] == [(1, 5), (1, 3), (1, 3), (1, 3)]
        assert [stage.outputs for stage in stages(layout, 4)] == [
            (4, 1, 20),
            (4, 1, 20),
            (8, 1, 10),
            (8, 1, 10),
        ]
    both = stages((1, 40, 2), 4)
    assert [stage.kernel for stage in both] == [(5, 3), (3, 1), (3, 1), (3, 1)]
    assert [stage.outputs for stage in both] == [(4, 20, 1), (4, 20, 1), (8, 10, 1), (8, 10, 1)]
    assert [stage.kernel for stage in stages((4, 4), 4)] == [(5, 5), (3, 3), (3, 3), (3, 3)]


def test_a_convolution_over_frequency_is_torchs():
    torch.manual_seed(0)
    model = ConvRCLSTM((1, 40), 3, maps=4, norm="none")
    x = torch.randn(5, 40)
    first = model["conv1"](model["images"](x))
    expected = functional.conv1d(x[:, None], model["conv1"].weight[:, :, 0], stride=2, padding=2)
    torch.testing.assert_close(first[:, :, 0], expected)


@pytest.mark.parametrize("name", ["lstm", "spiking", "analogue first", "no hidden layer"])
@pytest.mark.parametrize("layout", [(40,), (1, 40), (1, 40, 2), (2, 34, 34)])
@pytest.mark.parametrize("analogue", [True, False])
def test_frames_of_mixed_lengths_are_read_within_them(name, layout, analogue):
    """Each sample's decision is that of the sample alone; behind it lies NaN."""
    torch.manual_seed(0)
    model = BUILD[name](layout, 3, maps=4, hidden=8).eval()
    values = torch.randn(5, 4, math.prod(layout))
    lengths = torch.tensor([5, 1, 3, 2])
    if analogue:
        values[torch.arange(5)[:, None] >= lengths] = torch.nan
    else:
        values = (3 * values.abs()).int()
    encoded = Frames(values, layout, lengths=lengths)
    rule = FirstSpike(0.37 if model.evidence == "probability" else 0.05)
    with torch.no_grad():
        together = run_to_decision(model, encoded, rule)
        costs = _trace_batch(model, encoded)["macs"]
        for row, length in enumerate(lengths.tolist()):
            alone = run_to_decision(model, Frames(values[:length, row : row + 1], layout), rule)
            assert together.step[row] == alone.step[0]
            torch.testing.assert_close(together.readout[row], alone.readout[0], rtol=1e-4, atol=1e-5)
    assert bool((costs > 0).all()) == (analogue or name in ("lstm", "analogue first"))
    assert bool(costs.isfinite().all())
    loss, _ = RankCoding(auxiliary=0.3)(model.train(), encoded, torch.tensor([0, 1, 2, 0]), rule)
    loss.backward()
    gradients = [each.grad for each in model.parameters() if each.grad is not None]  # not: never reached
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


def test_six_stages_start_at_full_resolution_and_halve_it_three_times():
    six = stages((28, 28), 16, depth=6)
    assert [stage.outputs[1:] for stage in six] == [(28, 28), (14, 14), (14, 14), (7, 7), (7, 7), (4, 4)]
    assert [stage.maps for stage in six] == [8, 16, 16, 32, 32, 32]
    with pytest.raises(InputError, match="side of the input at least 6"):
        stages((5, 5), 16, depth=6)
    with pytest.raises(InputError, match="4 or 6"):
        stages((28, 28), 16, depth=5)


@pytest.mark.parametrize("name", BUILD)
def test_any_image_layout_runs_and_learns(name):
    torch.manual_seed(0)
    model = BUILD[name]((2, 9, 10), 3, maps=4, hidden=6)
    state = model.initial_state(5, "cpu")
    total = torch.zeros(())
    for _ in range(4):
        readout, state = model.step((torch.rand(5, 180) < 0.5).float(), state)
        total = total + readout.pow(2).sum()
    assert readout.shape == (5, 3)
    total.backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key


@pytest.mark.parametrize("hidden", [5, 0])
def test_the_spiking_net_equals_a_plain_loop(hidden):
    torch.manual_seed(1)
    model = ConvRankSNN((8, 8), 3, maps=2, hidden=hidden, decay=0.8, gain=3.0, norm="none")
    layers = numbered(model, "spiking_conv") + numbered(model, "hidden_synapses")
    norms = numbered(model, "spiking_norm") + numbered(model, "hidden_norm")
    with torch.no_grad():
        for norm in norms:
            norm.bias.uniform_(-0.3, 0.3)
    x = (torch.rand(6, 4, 64) < 0.5).float()
    membranes = [torch.zeros(())] * 6
    state = model.initial_state(4, "cpu")
    n_spikes = 0
    for step in range(6):
        readout, state = model.step(x[step], state)
        signal = x[step].reshape(4, 1, 8, 8)
        for index, (layer, norm) in enumerate(zip(layers, norms, strict=True)):
            fired = (membranes[index] > 1).float()
            current = layer(signal.flatten(1) if index == 4 else signal)
            bias = norm.bias.view(-1, 1, 1) if index < 4 else norm.bias
            membranes[index] = 0.8 * membranes[index] + current + bias - fired
            signal = (membranes[index] > 1).float()
            n_spikes += int(signal.sum())
        membranes[5] = 0.8 * membranes[5] + model["readout"](signal.flatten(1))
        torch.testing.assert_close(readout, membranes[5], rtol=1e-4, atol=1e-5)
    assert n_spikes > 50


@pytest.mark.parametrize("name", ["spiking", *HYBRIDS])
def test_batch_normalisation_folds_into_the_synapses(name):
    """At inference the normalised net is one of plain synapses: spiking throughout stays that."""
    torch.manual_seed(4)
    model, plain = (BUILD[name]((8, 8), 3, maps=4, hidden=6, norm=norm) for norm in ("batch", "none"))
    plain.load_state_dict(model.state_dict(), strict=False)
    x = (torch.rand(3, 5, 64) < 0.5).float()
    with torch.no_grad():
        for layer, norm, target in zip(
            [layer for name in SYNAPSES for layer in numbered(plain, name)],
            [layer for name in NORMS for layer in numbered(model, name)],
            [layer for name in NORMS for layer in numbered(plain, name)],
            strict=True,
        ):
            norm.running_mean.uniform_(-0.2, 0.2)
            norm.running_var.uniform_(0.05, 0.2)
            factor = norm.weight / (norm.running_var + 1e-5).sqrt()
            weight = layer.weight  # (out, in, ...), of hidden synapses a view
            weight.mul_(factor.view(-1, *[1] * (weight.ndim - 1)))
            target.bias.copy_(norm.bias - factor * norm.running_mean)
    states = [net.eval().initial_state(5, "cpu") for net in (model, plain)]
    spikes = 0.0
    for step in range(3):
        readouts = []
        for index, net in enumerate((model, plain)):
            readout, states[index] = net.step(x[step], states[index])
            readouts.append(readout)
        spikes += float((states[0].layers["hidden_neurons"].membrane > 1).sum())
        torch.testing.assert_close(*readouts, rtol=1e-3, atol=1e-4)
    assert spikes > 0


def test_an_integrating_readout_adds_up_what_a_plain_one_says():
    torch.manual_seed(5)
    plain = ConvRCLSTM((8, 8), 3, maps=4, hidden=6)
    torch.manual_seed(5)
    integrating = ConvRCLSTM((8, 8), 3, maps=4, hidden=6, readout_decay=0.5)
    states = [model.initial_state(4, "cpu") for model in (plain, integrating)]
    expected = torch.zeros(4, 3)
    for _ in range(4):
        x = (torch.rand(4, 64) < 0.5).float()
        logits, states[0] = plain.step(x, states[0])
        expected = 0.5 * expected + logits
        found, states[1] = integrating.step(x, states[1])
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("name", ["spiking", *HYBRIDS])
def test_spiking_throughout_never_multiplies_and_hybrids_do(name):
    torch.manual_seed(2)
    x = (torch.rand(3, 64) < 0.5).float()
    model = BUILD[name]((8, 8), 3, maps=2, hidden=5, gain=3.0)
    before = model.initial_state(3, "cpu")
    _, after = model.step(x, before)
    cost = model.operations(x, before, after)
    assert (cost.macs > 0).all() == (name in HYBRIDS)
    assert (cost.acs > 0).all()


def test_analogue_convolutions_are_the_rc_lstms():
    torch.manual_seed(6)
    spiking = ConvRankSNN((8, 8), 3, maps=4, analogue_stages=4)
    lstm = ConvRCLSTM((8, 8), 3, maps=4, norm="batch")
    shared = {
        key: value
        for key, value in spiking.state_dict().items()
        if key.startswith(("layers.conv", "layers.norm"))
    }
    lstm.load_state_dict({**lstm.state_dict(), **shared})
    features = []
    for model in (spiking, lstm):
        x = (torch.rand(5, 64, generator=torch.Generator().manual_seed(0)) < 0.5).float()
        for name in [name for name in model._order if name[:4] in ("imag", "conv", "norm", "relu")]:
            x = model[name](x, True) if name.startswith("norm") else model[name](x)
        features.append(x)
    assert features[0].shape == (5, 8, 2, 2)
    assert torch.equal(*features)


def test_a_spiking_neuron_is_left_between_analogue_stages_and_the_output():
    with pytest.raises(InputError, match="where a spiking stage is left"):
        ConvRankSNN((8, 8), 3, hidden=0, analogue_stages=4)


def test_softmax_evidence_is_a_named_variant():
    assert ConvRankSNN((8, 8), 3).evidence == "membrane"
    assert ConvRankSNN((8, 8), 3, evidence="softmax").evidence == "probability"


@pytest.mark.parametrize("n_stages", [-1, 5])
def test_no_more_stages_than_there_are_can_be_analogue(n_stages):
    with pytest.raises(InputError, match=r"analogue_stages must lie in 0\.\.4"):
        ConvRankSNN((8, 8), 3, analogue_stages=n_stages)


def test_operations_of_the_first_stage_by_hand():
    """5x5 kernel, stride 2, m = 2 maps: an input reaches the outputs whose window holds it."""
    model = ConvRankSNN((8, 8), 3, maps=2, hidden=5).eval()
    with torch.no_grad():
        for layer in numbered(model, "spiking_conv"):
            layer.weight.zero_()
    x = torch.zeros(2, 64)
    x[0, :3] = 1  # row 0: windows are centred on pixels 0, 2, 4, 6, two pixels wide to each side
    before = model.initial_state(2, "cpu")
    _, after = model.step(x, before)
    cost = model.operations(x, before, after)
    rows, columns = 2, (2, 2, 3)  # windows that hold row 0, and columns 0, 1 and 2
    assert cost.acs.tolist() == [2 * rows * sum(columns), 0]
    assert cost.macs.tolist() == [0, 0]


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (28, 28), (1, 40), (40, 2), (3, 11)])
@pytest.mark.parametrize("depth", [4, 6])
def test_connections_at_the_border_are_those_of_the_convolution(size, depth):
    for stage in stages((2, *size), 4, depth):
        layer = Conv(stage)
        ones = torch.ones(1, *stage.inputs, requires_grad=True)
        functional.conv2d(
            ones, torch.ones_like(layer.weight), None, layer.stride, layer.padding
        ).sum().backward()
        x = (torch.rand(1, *stage.inputs) < 0.3).float()
        signal = Signal(lambda x=x: x, False, torch.zeros(1))
        cost, _ = signal.through(layer)
        assert cost.acs.item() == (ones.grad * x).sum().item()
        analogue = Signal(lambda x=x: x, True, torch.zeros(1))
        assert analogue.through(layer)[0].macs.item() == ones.grad.sum().item()


def test_operations_without_a_hidden_layer_by_hand():
    """Every pixel fires every neuron, so every connection is used, and K for each of the last."""
    model = ConvRankSNN((8, 8), 3, maps=2, hidden=0, norm="none").eval()
    with torch.no_grad():
        for layer, norm in zip(numbered(model, "spiking_conv"), numbered(model, "spiking_norm"), strict=True):
            layer.weight.zero_()
            norm.bias.fill_(2.0)
    before = model.initial_state(1, "cpu")
    _, after = model.step(torch.ones(1, 64), before)
    cost = model.operations(torch.ones(1, 64), before, after)
    # Outputs of one axis, by how many inputs each sees: 5 wide over 8 with stride 2, 3 over 4, 3 over 4
    # with stride 2, 3 over 2.
    seen = ((3, 5, 5, 4), (2, 3, 3, 2), (2, 3), (2, 2))
    channels = ((1, 2), (2, 2), (2, 4), (4, 4))
    connections = sum(a * b * sum(axis) ** 2 for axis, (a, b) in zip(seen, channels, strict=True))
    assert cost.acs.tolist() == [connections + 4 * 4 * 3]
    assert cost.macs.tolist() == [0]
    assert cost.leaks.tolist() == [2 * 16 + 2 * 16 + 4 * 4 + 4 * 4 + 3]


def test_operations_are_right_in_training_mode_too():
    """Batch statistics of step 0 and dropout: what the step computed is counted, and nothing changes."""
    torch.manual_seed(0)
    model = ConvRankSNN((8, 8), 3, maps=2, hidden=6, gain=3.0, dropout=0.5, analogue_stages=1)
    x = (torch.rand(7, 64) < 0.5).float()
    before = model.initial_state(7, "cpu")
    running = model["norm1"].running_mean.clone()
    seen = {}
    for name in ("spiking_conv1", "readout"):
        model[name].register_forward_hook(lambda _, given, __, name=name: seen.update({name: given[0]}))
    _, after = model.step(x, before)
    assert not torch.equal(model["norm1"].running_mean, running)
    running = model["norm1"].running_mean.clone()
    cost = model.operations(x, before, after)
    assert torch.equal(model["norm1"].running_mean, running)
    hidden = (seen["readout"] != 0).sum(1)  # dropped spikes cost nothing, those that are left one each
    assert 0 < hidden.sum() < (after.layers["hidden_neurons"].membrane > 1).sum()
    model["readout"].n_outputs = 0  # the readout then counts nothing
    without = model.operations(x, before, after)
    assert torch.equal(cost.acs - without.acs, 3.0 * hidden)


def test_features_of_a_sample_do_not_depend_on_the_batch():
    model = ConvRCLSTM((8, 8), 3, maps=4)
    x = (torch.rand(6, 64) < 0.5).float()
    together, _ = model.step(x, model.initial_state(6, "cpu"))
    alone, _ = model.step(x[2:3], model.initial_state(1, "cpu"))
    torch.testing.assert_close(together[2:3], alone)


def test_dropout_silences_hidden_neurons_in_training_only():
    model = ConvRankSNN((8, 8), 3, maps=2, hidden=40, dropout=0.5)
    assert model.initial_state(2, "cpu").layers["dropout"].mask.shape == (2, 40)
    model.eval()
    assert model.initial_state(2, "cpu").layers["dropout"].mask is None


@pytest.mark.parametrize(
    ("layout", "options", "says"),
    [((1, 2, 8, 8), {}, "layout"), ((3, 3), {}, "at least 4"), ((8, 0), {}, "at least 4"),
     ((8, 8), {"maps": 0}, "maps"), ((8, 8), {"hidden": -1}, "hidden"),
     ((8, 8), {"dropout": 1.0}, "dropout")],
)  # fmt: skip
@pytest.mark.parametrize("name", BUILD)
def test_what_cannot_be_built_is_refused(name, layout, options, says):
    if "six" in name:
        says = says.replace("least 4", "least 6")
    with pytest.raises(InputError, match=says):
        BUILD[name](layout, 3, **options)


def test_group_normalisation_is_torchs():
    torch.manual_seed(3)
    model = ConvRCLSTM((8, 8), 3, maps=4)
    x = torch.rand(2, 1, 8, 8)
    first = functional.relu(model["norm1"](model["conv1"](x), first=True))
    maps = model["conv1"](x).reshape(2, 4, -1)  # four groups of one map
    expected = functional.relu(
        (maps - maps.mean(2, keepdim=True)) / (maps.var(2, correction=0, keepdim=True) + 1e-5).sqrt()
    )
    torch.testing.assert_close(first.reshape(2, 4, -1), expected, rtol=1e-4, atol=1e-5)


def test_a_readout_that_does_not_integrate_says_each_steps_own_logits():
    torch.manual_seed(7)
    options = {"maps": 4, "hidden": 0, "decay": 0.5, "norm": "none", "gain": 8.0}
    model = ConvRankSNN((8, 8), 3, **options, learn_decay=False, reset="zero", readout_decay=0.0)
    assert "output" not in model.layers
    assert not [name for name, _ in model.named_parameters() if "beta" in name or "decay" in name]
    x = torch.rand(4, 64)
    membranes, state, said = [torch.zeros(())] * 4, model.initial_state(4, "cpu"), []
    for _ in range(4):
        readout, state = model.step(x, state)
        signal = x.reshape(4, 1, 8, 8)
        for index, layer in enumerate(numbered(model, "spiking_conv")):
            kept = torch.where(membranes[index] > 1, 0.0, membranes[index])  # nothing is left of a spike's
            membranes[index] = 0.5 * kept + layer(signal)
            signal = (membranes[index] > 1).float()
        torch.testing.assert_close(readout, model["readout"](signal.flatten(1)))
        said.append(readout)
    assert not torch.equal(said[1], said[0])


def test_a_readouts_decay_is_the_neurons_or_its_own_and_then_not_trained():
    assert "layers.output.decay" in dict(ConvRankSNN((8, 8), 3).named_parameters())
    model = ConvRankSNN((8, 8), 3, decay=0.5, readout_decay=0.9)
    assert "layers.output.decay" not in dict(model.named_parameters())
    assert model["output"].decay.tolist() == pytest.approx([0.9] * 3)
    fixed = ConvRankSNN((8, 8), 3, decay=0.5, learn_decay=False)
    assert not [name for name, _ in fixed.named_parameters() if name.endswith(("beta", "decay"))]
    with pytest.raises(InputError, match=r"readout_decay must lie in \[0, 1\]"):
        ConvRankSNN((8, 8), 3, readout_decay=1.5)


def test_no_readout_leaks_where_none_integrates():
    x = torch.rand(1, 64)
    leaks = []
    for decay in (0.0, 0.5):
        model = ConvRankSNN((8, 8), 3, maps=2, hidden=0, readout_decay=decay).eval()
        before = model.initial_state(1, "cpu")
        _, after = model.step(x, before)
        leaks.append(model.operations(x, before, after, analogue=True).leaks.item())
    assert leaks == [2 * 16 + 2 * 16 + 4 * 4 + 4 * 4 + n for n in (0, 3)]
