"""Networks made elsewhere: each form steps as its own forward does, and what cannot be stepped is refused."""

import numpy as np
import pytest
import snntorch as snn
import torch
from foreign_nets import N_CHANNELS, N_CLASSES, RECURRENT, SPIKING, Hidden, Loop, Recurrent, hidden
from torch import nn

from rc_vs_snn.decision.batch import run_full, run_to_decision
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.encoded import Frames
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.adapters import adapter_for, checking, from_snntorch, from_torch_rnn
from rc_vs_snn.testing import check_model

T, B = 9, 6


def example(density=0.4, batch=B, layout=(4, 4)):
    generator = torch.Generator().manual_seed(1)
    spikes = torch.rand(T, batch, N_CHANNELS, generator=generator) < density
    return Frames(spikes.to(torch.uint8), layout)


def frames(code):
    return torch.stack([code.at(step) for step in range(code.n_steps)])


def made(build):
    torch.manual_seed(3)
    return build()


@torch.no_grad()
def own_readouts(net, code, time):
    """The network's own forward, without any adapter, as ``(T, B, K)``."""
    x = frames(code)
    first = next(part for part in net.modules() if isinstance(part, nn.Conv2d | nn.Linear | nn.RNNBase))
    if isinstance(first, nn.Conv2d):
        x = x.reshape(T, -1, 1, 4, 4)
    if time == "step":
        state, found = (), []
        for layer in net.modules():
            if isinstance(layer, snn.Leaky):
                layer.reset_mem()
        for frame in x:
            out = net(frame, *state)
            state = (out[-1],) if not isinstance(net, nn.Sequential) else ()
            found.append(out[0] if state else out[-1])
        return torch.stack(found)
    if getattr(net, "read", "each") != "each":  # one readout for all: of every beginning
        beginnings = [x[: n + 1] if time == "first" else x[: n + 1].transpose(0, 1) for n in range(T)]
        return torch.stack([net(each) for each in beginnings])
    found = net(x if time == "first" else x.transpose(0, 1))
    found = found[-1] if isinstance(found, tuple) else found
    return found if found.shape[0] == T and found.shape[1] != T else found.transpose(0, 1)


@pytest.mark.parametrize("name", [name for name in SPIKING if name != "held"])
def test_a_spiking_net_steps_as_its_own_forward(name):
    build, time = SPIKING[name]
    net, code = made(build).eval(), example()
    model = from_snntorch(net, code)
    assert model.form.time == time
    found = run_full(model, code)
    wanted = own_readouts(net, code, time)
    assert float(wanted.std()) > 0.01
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_classifier_steps_as_its_own_forward(name):
    build, time = RECURRENT[name]
    net, code = made(build).eval(), example()
    model = from_torch_rnn(net, code)
    assert model.form.time == time
    torch.testing.assert_close(run_full(model, code), own_readouts(net, code, time), rtol=1e-4, atol=1e-5)


def test_a_net_that_repeats_one_input_makes_one_step_of_it_at_a_time():
    net = made(SPIKING["held"][0]).eval()
    still = frames(example())[0]
    code = Frames(still.expand(net.num_steps, -1, -1).to(torch.uint8), (4, 4))
    model = from_snntorch(net, code)
    assert model.form.time == "held"
    with torch.no_grad():
        torch.testing.assert_close(run_full(model, code), net(still)[1])


def test_rows_that_have_decided_leave_and_the_others_go_on_as_before():
    model = from_snntorch(made(Loop), example()).eval()
    code = example(batch=40)
    with torch.no_grad():
        outcome = run_to_decision(model, code, FirstSpike(0.5))
        whole = run_full(model, code).softmax(2)
    assert len(outcome.step.unique()) > 3
    for row, step in enumerate(outcome.step.tolist()):
        torch.testing.assert_close(outcome.evidence[row], whole[step, row].max(), rtol=1e-4, atol=1e-5)
        assert bool((whole[:step, row] < 0.5).all())


def test_samples_of_different_lengths_get_what_they_get_alone():
    net, whole = made(Loop).eval(), example()
    lengths = torch.tensor([9, 3, 1, 6, 9, 2])
    code = Frames(whole.values, whole.layout, lengths=lengths)
    model = from_snntorch(net, code)
    found = run_full(model, code)
    wanted = own_readouts(net, whole, "first")
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(found[:length, row], wanted[:length, row], rtol=1e-4, atol=1e-5)
        assert torch.equal(found[length:, row], found[length - 1 : length, row].expand(T - length, -1))


def test_the_network_is_left_as_it_was():
    net, code = made(Loop).train(), example()
    with torch.no_grad():
        before = net(frames(code))[1]
    weights = {name: value.clone() for name, value in net.state_dict().items()}
    model = from_snntorch(net, code)
    run_full(model.eval(), code)
    net.train()
    assert net.training
    assert all(torch.equal(value, weights[name]) for name, value in net.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in net.modules())
    with torch.no_grad():
        torch.testing.assert_close(net(frames(code))[1], before)


def test_spikes_are_counted_up_if_the_sum_is_asked_for():
    net, code = made(Loop).eval(), example()
    model = from_snntorch(net, code, output=0, over="sum", evidence="membrane")
    with torch.no_grad():
        torch.testing.assert_close(run_full(model, code), net(frames(code))[0].cumsum(0))
    assert model.evidence == "membrane"


class Rate(Loop):
    def forward(self, x):
        spikes, _ = super().forward(x)
        return spikes.mean(0)


def test_one_readout_for_all_steps_is_a_sum_or_mean_and_must_be_said_to_be():
    net, code = made(Rate).eval(), example()
    with pytest.raises(InputError, match=r"its forward returns the mean over the steps: say over='mean'"):
        from_snntorch(net, code)
    model = from_snntorch(net, code, over="mean")
    with torch.no_grad():
        torch.testing.assert_close(run_full(model, code)[-1], net(frames(code)))
        torch.testing.assert_close(run_full(model, code)[3], net(frames(code)[:4]))


def test_an_adapted_network_keeps_the_promises_of_a_model():
    def build(layout, n_classes):
        net = nn.Sequential(
            nn.Linear(6, 12), snn.Leaky(beta=0.9, threshold=0.05, init_hidden=True),
            nn.Linear(12, n_classes), snn.Leaky(beta=0.9, init_hidden=True, output=True),
        )  # fmt: skip
        return from_snntorch(net, Frames(torch.randint(0, 2, (7, 5, 6)), layout))

    check_model(build)


class FedBack(Loop):
    """Its output spikes enter again at the next step, in a variable of its forward."""

    def __init__(self):
        super().__init__()
        self.back = nn.Linear(N_CLASSES, 12)

    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk2, readouts = torch.zeros(x.shape[1], N_CLASSES), []
        for frame in x:
            spk1, mem1 = self.lif1(self.fc1(frame) + self.back(spk2), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            readouts.append(mem2)
        return torch.stack(readouts)


class PerStep(Loop):
    """Another bias at every step."""

    def forward(self, x):
        mem2, readouts = self.lif2.init_leaky(), []
        for step, frame in enumerate(x):
            _, mem2 = self.lif2(self.fc2(self.fc1(frame)) + step, mem2)
            readouts.append(mem2)
        return torch.stack(readouts)


class AmongRows(Loop):
    """Every sample less the batch's mean."""

    def forward(self, x):
        return super().forward(x - x.mean(1, keepdim=True))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (FedBack, r"FedBack stepped \(with the state of lif1, lif2 taken out and put back\) is not its own "
         r"forward: at step \d, sample \d, class \d it gives [-\d.e]+ instead of [-\d.e]+; its forward "
         "keeps something"),
        (PerStep, r"at step 1, sample 0, class 0 it gives .* does not treat every step alike"),
        (AmongRows, r"sample 0 alone gives another readout of AmongRows than in a batch of 6 \(at step 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_stepped_is_refused_and_what_differs_is_said(build, message):
    with pytest.raises(InputError, match=message):
        from_snntorch(made(build), example())


def test_what_rounding_alone_decides_is_no_difference(monkeypatch):
    class Edge(Loop):
        """A membrane at the threshold: float32 sums of another order fall on either side of it."""

        def forward(self, x):
            weight = self.fc1.weight if x.shape[0] == 1 else self.fc1.weight.flip(1)
            x = x if x.shape[0] == 1 else x.flip(2)
            mem, readouts = self.lif1.init_leaky(), []
            for frame in x:
                current = (frame.double() @ weight.double().T).to(x.dtype) if x.dtype == torch.float64 else (
                    sum(frame[:, n : n + 1] * weight[:, n] for n in range(N_CHANNELS))
                )  # fmt: skip
                spk, mem = self.lif1(current, mem)
                readouts.append(self.fc2(spk))
            return torch.stack(readouts)

    net = made(Edge)
    with torch.no_grad():
        net.fc1.weight.copy_(torch.randint(1, 8, net.fc1.weight.shape) / 10)  # sums tie with the threshold
        net.lif1.threshold.fill_(2.6)
    from_snntorch(net, example())
    monkeypatch.setattr(checking.copy, "deepcopy", lambda model: 1 / 0)  # where there is no second look
    with pytest.raises(InputError, match=r"Edge stepped .* is not its own forward"):
        from_snntorch(net, example())


@pytest.mark.parametrize(
    ("build", "options", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(16, 3)), {}, "holds nothing of snnTorch that keeps a state"),
        (lambda: nn.Sequential(snn.LeakyParallel(16, 3)), {}, "LeakyParallel computes all steps at once"),
        (Loop, {"time": "third"}, "there is no time 'third'; .*allowed: first, held, second, step"),
        (Loop, {"over": "max"}, "there is no over 'max'"),
        (Loop, {"output": 2}, "Loop returns 2 values; output=2 is none of them"),
        (Loop, {"shape": (4, 5)}, r"cannot tell how Loop reads time; tried \(T, B, 4, 5\): "),
        (Loop, {"time": "second"}, r"as time= says; tried \(B, T, 16\): its neurons or cells see 3 rows"),
        (Loop, {"time": "step"}, r"tried \(B, 16\): "),
        (lambda: Conv3(), {}, r"begins with Conv3d and the input has the layout \(4, 4\); say how"),
    ],
)  # fmt: skip
def test_every_other_fault_is_one_line(build, options, message):
    with pytest.raises(InputError, match=message):
        from_snntorch(made(build), example(), **options)


class Conv3(Loop):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Conv3d(1, 2, 3)


class Whole(Loop):
    def forward(self, x):
        return super().forward(x)[1].argmax(2)


class Flat(Loop):
    def forward(self, x):
        return super().forward(x)[1].flatten()


class Raises(Loop):
    def forward(self, x):
        raise KeyError("no such layer")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (Whole, "Whole returns a tensor of torch.int64, no real numbers"),
        (Flat, r"Flat returns the shape \(\d+,\) for"),
        (Raises, "cannot tell how Raises reads time; .*KeyError: 'no such layer'"),
    ],
)
def test_a_readout_is_numbers_of_time_batch_and_class(build, message):
    with pytest.raises(InputError, match=message):
        from_snntorch(made(build), example())


class Packed(Recurrent):
    def forward(self, x):
        lengths = torch.full((len(x),), x.shape[1])
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return self.head(self.rnn(packed)[1][0][-1])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Recurrent(bidirectional=True), "LSTM is bidirectional"),
        (Packed, "rnn is called with PackedSequence; only tensors"),
        (Hidden, "Hidden holds nothing of torch.nn that keeps a state"),
    ],
)
def test_recurrent_layers_that_cannot_be_stepped_are_refused(build, message):
    with pytest.raises(InputError, match=message):
        from_torch_rnn(made(build), example())


def test_what_is_no_network_or_keeps_nothing_is_refused():
    with pytest.raises(InputError, match=r"a network must be an nn\.Module, got function"):
        from_snntorch(lambda x: x, example())
    with pytest.raises(InputError, match="holds no module that is known to keep a state"):
        adapter_for(nn.Sequential(nn.Linear(3, 3)))
    assert adapter_for(hidden()) is from_snntorch
    assert adapter_for(Recurrent()) is from_torch_rnn


def test_another_number_of_channels_is_said():
    model = from_snntorch(made(Loop), example()).eval()
    with pytest.raises(InputError, match=r"Loop takes 16 channels a step, as \(16,\), and the input has 9"):
        model.step(torch.zeros(2, 9), model.initial_state(2, "cpu"))


def test_silence_cannot_be_checked_and_that_is_said():
    net = made(Loop)
    with torch.no_grad():
        net.fc1.weight.zero_(), net.fc1.bias.zero_(), net.fc2.bias.zero_()
    with pytest.warns(UserWarning, match="Loop gives the same readout at every step and for every sample"):
        from_snntorch(net, example())


def test_norse_nets_step_as_their_own_forward():
    norse = pytest.importorskip("norse.torch")
    from rc_vs_snn.models.adapters import from_norse

    class Lifted(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = norse.SequentialState(
                norse.Lift(nn.Conv2d(1, 4, 3)), norse.LIF(), nn.Flatten(2), nn.Linear(16, 3), norse.LI()
            )

        def forward(self, x):
            return self.net(x)[0]

    code = example(0.9)
    cells = made(lambda: norse.SequentialState(
        nn.Linear(16, 30), norse.LIFCell(), nn.Linear(30, 3), norse.LICell()
    )).eval()  # fmt: skip
    for net, time in ((cells, "step"), (made(Lifted).eval(), "first")):
        model = from_norse(net, code)
        assert model.form.time == time
        with torch.no_grad():
            state, own = None, []
            if time == "step":
                for frame in frames(code):
                    out, state = net(frame, state)
                    own.append(out)
                own = torch.stack(own)
            else:
                own = net(frames(code).reshape(T, B, 1, 4, 4))
            torch.testing.assert_close(run_full(model, code), own, rtol=1e-4, atol=1e-5)
    recurrent = made(
        lambda: norse.SequentialState(norse.LIFRecurrentCell(16, 20), nn.Linear(20, 3), norse.LICell())
    )
    assert "input_weights in no Linear, Conv or RNN layer" in from_norse(recurrent, code).uncounted


def test_spikingjelly_nets_step_as_their_own_forward():
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import functional, layer, neuron

    from rc_vs_snn.models.adapters import from_spikingjelly

    code = example(0.9)

    def dense():
        return nn.Sequential(
            layer.Linear(16, 30), neuron.LIFNode(v_threshold=0.1), layer.Linear(30, 3),
            neuron.IFNode(v_threshold=0.1),
        )  # fmt: skip

    single, multi = made(dense).eval(), made(dense).eval()
    functional.set_step_mode(multi, "m")
    for net, time in ((single, "step"), (multi, "first")):
        model = from_spikingjelly(net, code, over="sum")
        assert model.form.time == time
        with torch.no_grad():
            functional.reset_net(net)
            x = frames(code)
            own = net(x) if time == "first" else torch.stack([net(frame) for frame in x])
            assert float(own.sum()) > 0
            functional.reset_net(net)
            torch.testing.assert_close(run_full(model, code), own.cumsum(0))
        _, after = model.step(x[0], model.initial_state(B, "cpu"))
        assert after.spent[:, 2].tolist() == [30.0] * B  # LIF leaks, IF does not
        np.testing.assert_array_equal(after.spent[:, 0] >= x[0].sum(1) * 30, True)
