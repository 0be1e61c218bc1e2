"""Operations seen by hooks, against counts made by hand, our own networks' counts, and NeuroBench's."""

import pytest
import snntorch as snn
import torch
from foreign_nets import N_CHANNELS, Recurrent
from torch import nn
from torch.nn import functional

from rc_vs_snn.encoded import Frames
from rc_vs_snn.models import rc_gru, rc_lstm
from rc_vs_snn.models.adapters import from_snntorch, from_torch_rnn
from rc_vs_snn.models.adapters.counting import Watch, effective


def spikes(*rows):
    """Frames ``(T, 1, C)`` of spikes."""
    return torch.tensor(rows)[:, None].to(torch.uint8)


def spent(model, frames, rows=1):
    """Return accumulates, multiply-accumulates and leaks of every step of the first row."""
    state, found = model.initial_state(rows, "cpu"), []
    for x in frames.to(torch.float32):
        before = state
        _, state = model.step(x, state)
        cost = model.operations(x, before, state)
        found.append(tuple(float(kind[0]) for kind in (cost.acs, cost.macs, cost.leaks)))
    return found


def several(frames):
    """Return one sample among others, on which a network is checked."""
    others = torch.rand(len(frames), 4, frames.shape[2], generator=torch.Generator().manual_seed(0)) < 0.5
    return torch.cat([frames, others.to(frames.dtype)], 1)


def wired():
    """4 inputs to 3 neurons to 2: hidden neuron k fires when input k does, and both outputs leak."""
    net = nn.Sequential(
        nn.Linear(4, 3, bias=False), snn.Leaky(beta=0.5, threshold=1.0, init_hidden=True),
        nn.Linear(3, 2), snn.Leaky(beta=0.5, init_hidden=True, output=True),
    )  # fmt: skip
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(3, 4) * 1.5)
    return net


def test_a_spike_costs_one_accumulate_for_each_of_its_synapses():
    frames = spikes([1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0])
    model = from_snntorch(wired(), Frames(several(frames), (4,))).eval()
    # two inputs of 3 synapses, and the two neurons they fire of 2; one input that fires nobody; silence
    assert spent(model, frames) == [(2 * 3 + 2 * 2, 0, 5), (1 * 3, 0, 5), (0, 0, 5)]


def test_a_count_of_spikes_costs_as_many_and_a_real_number_one_multiplication_each():
    frames = spikes([2, 0, 0, 0])
    model = from_snntorch(wired(), Frames(several(frames), (4,))).eval()
    assert spent(model, frames) == [(2 * 3 + 1 * 2, 0, 5)]
    real = several(frames).to(torch.float32) * 0.7
    model = from_snntorch(wired(), Frames(real, (4,))).eval()
    # the first layer is one of real numbers, even for a row that holds none but whole ones
    assert spent(model, frames) == [(1 * 2, 4 * 3, 5)]
    assert spent(model, frames * 0) == [(0, 4 * 3, 5)]


class Corner(nn.Module):
    def __init__(self, **options):
        super().__init__()
        self.conv, self.lif = nn.Conv2d(1, 2, 2, **options), snn.Leaky(beta=0.9, threshold=100.0)
        self.fc, self.out = nn.LazyLinear(2), snn.Leaky(beta=0.9)

    def forward(self, x):
        mem, last, readouts = self.lif.init_leaky(), self.out.init_leaky(), []
        for frame in x:
            spk, mem = self.lif(self.conv(frame), mem)
            _, last = self.out(self.fc(spk.flatten(1)), last)
            readouts.append(last)
        return torch.stack(readouts)


@pytest.mark.parametrize(
    ("options", "corner", "centre", "neurons"),
    [
        (
            {},
            2,
            8,
            2 * 2 * 2,
        ),  # 2x2 kernels see a corner of 3x3 pixels once, the centre four times, in 2 maps
        ({"padding": 1}, 8, 8, 2 * 4 * 4),
        ({"stride": 2, "padding": 1}, 2, 2, 2 * 2 * 2),
    ],
)
def test_a_pixel_costs_as_many_synapses_as_kernels_that_see_it(options, corner, centre, neurons):
    net = Corner(**options)
    net(torch.zeros(1, 1, 1, 3, 3))
    frames = spikes([1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0, 0, 0])
    model = from_snntorch(net, Frames(several(frames), (3, 3))).eval()
    leaks = neurons + 2
    assert spent(model, frames) == [(corner, 0, leaks), (centre, 0, leaks)]


def test_an_lstm_of_two_layers_by_hand():
    net = Recurrent(nn.LSTM, layers=2).eval()  # 16 -> 5 -> 5, read by 3
    frames = spikes([1] * 3 + [0] * 13, [0] * 16)
    model = from_torch_rnn(net, Frames(several(frames), (16,)))
    into_second, head, within = 5 * 20, 5 * 3, 2 * 5 * 20
    assert spent(model, frames) == [
        (3 * 20, into_second + head, 10), (0, into_second + head + within, 10)
    ]  # fmt: skip


@pytest.mark.parametrize(("kind", "gates", "leaks"), [(nn.GRU, 3, 5), (nn.RNN, 1, 0)])
def test_other_recurrent_layers_have_other_numbers_of_gates(kind, gates, leaks):
    frames = spikes([1] * 2 + [0] * 14, [0] * 16)
    model = from_torch_rnn(Recurrent(kind).eval(), Frames(several(frames), (16,)))
    per_unit = 5 * gates
    assert spent(model, frames) == [(2 * per_unit, 15, leaks), (0, 15 + 5 * per_unit, leaks)]


@pytest.mark.parametrize(("ours", "theirs"), [(rc_lstm, nn.LSTM), (rc_gru, nn.GRU)])
def test_hooks_count_what_our_own_networks_say_of_themselves(ours, theirs):
    own = ours(layout=(N_CHANNELS,), n_classes=3, hidden=5, layers=2)
    frames = (torch.rand(6, 3, N_CHANNELS, generator=torch.Generator().manual_seed(4)) < 0.3).to(torch.uint8)
    foreign = from_torch_rnn(Recurrent(theirs, layers=2).eval(), Frames(frames, (N_CHANNELS,)))
    own.eval()
    assert spent(own, frames, rows=3) == spent(foreign, frames, rows=3)


class Functional(Recurrent):
    def forward(self, x):
        return functional.linear(self.rnn(x)[0], self.head.weight)


class Attending(Recurrent):
    def __init__(self):
        super().__init__()
        self.mix = nn.Parameter(torch.eye(5))

    def forward(self, x):
        return self.head(self.rnn(x)[0] @ self.mix)


@pytest.mark.parametrize(
    ("build", "why"),
    [(Functional, "head was not called as a module"), (Attending, "itself has the weights mix in no Linear")],
)
def test_what_hooks_cannot_see_is_not_counted_and_why_is_said(build, why):
    frames = spikes([1] * 16, [0] * 16)
    model = from_torch_rnn(build().eval(), Frames(several(frames), (16,)))
    assert why in model.uncounted
    assert all(count != count for step in spent(model, frames) for count in step)


def test_neurobench_counts_as_in_its_documentation():
    layer = nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.3, 0, -3.2], [0, 1.2, -5.1], [-1.1, 2.7, 0]]))
    for x, kind in ([[0.0, 1.3, -1.0]], "macs"), ([[0.0, 1.0, -1.0]], "acs"):
        x = torch.tensor(x)
        watch = Watch(layer, 1, started=False)
        with watch.hooked():
            layer(x)
        found = effective(watch, set(), x)
        assert float(getattr(found, kind)) == 4  # their worked example
        assert float(getattr(found, "acs" if kind == "macs" else "macs")) == 0
        assert float(found.dense) == 9


def test_neurobench_itself_counts_the_same():
    macs = pytest.importorskip("neurobench.metrics.utils.layers.macs")
    generator = torch.Generator().manual_seed(0)
    for layer, shape in (nn.Linear(7, 4), (7,)), (nn.Conv2d(2, 3, 3, padding=1, stride=2), (2, 6, 5)):
        with torch.no_grad():
            layer.weight[torch.rand(layer.weight.shape, generator=generator) < 0.3] = 0
        for real in (False, True):
            x = (torch.rand(4, *shape, generator=generator) < 0.4).float() * (0.5 if real else 1)
            watch = Watch(layer, 4, started=False)
            with watch.hooked():
                layer(x)
            found = effective(watch, set(), x)
            theirs, spiking = macs.single_layer_MACs(x, layer)
            assert spiking == (not real)
            assert float((found.macs if real else found.acs).sum()) == theirs
            assert float(found.dense.sum()) == macs.single_layer_MACs(x, layer, total=True)[0]
