"""Streaming against the batch path: the same decisions, sample by sample, event by event."""

import numpy as np
import pytest
import torch

from rc_vs_snn import FirstSpike, InputError, SpikeTimes, run_to_decision
from rc_vs_snn.decision.rules import FallingThreshold
from rc_vs_snn.decision.stream import Decided, Decider, events_by_step
from rc_vs_snn.kernels.elementwise import tanh
from rc_vs_snn.models import RankSNN, rc_gru, rc_lstm
from rc_vs_snn.registry import models

N_STEPS, LAYOUT, N_CLASSES = 8, (6, 6), 5


def samples(n=60, hold=False, seed=0):
    steps = np.random.default_rng(seed).integers(0, N_STEPS + 3, (n, 36)).clip(max=N_STEPS)
    steps[0] = N_STEPS  # a sample without a spike
    steps[1] = 0  # and one with all of them at once
    return SpikeTimes(torch.from_numpy(steps), N_STEPS, LAYOUT, hold)


def lstm(layers=1, gain=6.0, hidden=21):
    torch.manual_seed(1)
    model = rc_lstm(LAYOUT, N_CLASSES, hidden=hidden, layers=layers)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(gain)
    return model


def spiking(layers=1, hidden=23, **options):
    torch.manual_seed(2)
    model = RankSNN(LAYOUT, N_CLASSES, hidden=hidden, layers=layers, gain=4.0, **options)
    with torch.no_grad():
        model["readout"].stored.mul_(5)
        model["output"].decay.uniform_(0.5, 1.2)  # above 1: clamped
        for number in range(1, layers + 1):
            model[f"neurons{number}"].neuron.beta.uniform_(0.5, 1.0)
    return model


def assert_same(got, expected, to_the_bit=True):
    for field in ("label", "step", "decided", "tied"):
        np.testing.assert_array_equal(getattr(got, field), getattr(expected, field), field)
    rounding = {} if to_the_bit else {"rtol": 2e-5, "atol": 1e-6}
    compare = np.testing.assert_array_equal if to_the_bit else np.testing.assert_allclose
    compare(got.evidence, expected.evidence, **rounding)


def check(model, rule, hold=False, event_driven=True, to_the_bit=True, **options):
    encoded = samples(hold=hold)
    decider = Decider(model, rule, N_STEPS, hold=hold, **options)
    assert decider.event_driven == event_driven
    with torch.no_grad():
        expected = run_to_decision(model, encoded, rule).decision()
    assert_same(decider.decide_all(encoded), expected, to_the_bit)
    return expected


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("threshold", "when"), [(0.3, "early"), (0.6, "mixed"), (1.0, "never")])
def test_lstm_decides_as_the_batch_does(layers, hold, threshold, when):
    decisions = check(lstm(layers), FirstSpike(threshold), hold)
    share = decisions.decided.mean()
    assert share > 0.9 if when == "early" else share < 0.1 if when == "never" else share > 0
    if when == "mixed":
        assert len(np.unique(decisions.step)) > 2


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(("threshold", "when"), [(0.2, "early"), (1.0, "mixed"), (1e4, "never")])
def test_spiking_net_decides_as_the_batch_does(layers, reset, hold, threshold, when):
    decisions = check(spiking(layers, reset=reset), FirstSpike(threshold), hold)
    share = decisions.decided.mean()
    assert share > 0.8 if when == "early" else share == 0 if when == "never" else 0 < share < 1
    if when == "mixed":
        assert len(np.unique(decisions.step)) > 2


def test_hidden_neurons_of_the_test_nets_fire_and_resets_differ():
    rule = FirstSpike(1e4)
    evidence = [check(spiking(2, reset=reset), rule).evidence for reset in ("subtract", "zero")]
    assert not np.allclose(*evidence)


@pytest.mark.parametrize(
    "options",
    [{"evidence": "softmax"}, {"learn_threshold": True, "threshold": 0.7}, {"spike_grad": "sigmoid"}],
)
def test_variants_of_the_leaky_net_are_event_driven(options):
    check(spiking(2, **options), FirstSpike(0.5))


def test_falling_threshold():
    check(lstm(), FallingThreshold(1.0, 0.2))
    check(spiking(), FallingThreshold(5.0, 0.1))


@pytest.mark.parametrize("make", [lstm, spiking])
def test_twin_classes_tie_and_the_lower_wins(make):
    model = make()
    with torch.no_grad():
        model["readout"].stored[3] = model["readout"].stored[1]
        model["readout"].bias[3] = model["readout"].bias[1]
        if make is spiking:
            model["output"].decay[3] = model["output"].decay[1]
    decisions = check(model, FirstSpike(0.3))
    assert decisions.tied.any()
    assert 3 not in decisions.label


def convolutional(name):
    return models.build(name, {"maps": 2, "hidden": 9}, layout=LAYOUT, n_classes=N_CLASSES).eval()


class Counting:
    """A model from outside, no module: its evidence counts the spikes of the first channels."""

    evidence = "membrane"

    def initial_state(self, batch, device):
        return (torch.zeros(batch, N_CLASSES),)

    def step(self, x, state):
        total = state[0] + x[:, :N_CLASSES]
        return total, (total,)


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize(
    ("model", "options"),
    [
        (lambda: rc_gru(LAYOUT, N_CLASSES, hidden=8), {}),
        (lambda: spiking(2, neuron="synaptic"), {}),
        (lambda: convolutional("conv-rank-snn"), {}),
        (lambda: convolutional("conv-rc-lstm"), {}),
        (Counting, {"n_channels": 36}),
    ],
    ids=["gru", "synaptic", "conv-snn", "conv-lstm", "outside"],
)
def test_any_other_model_takes_the_dense_path(model, options, hold):
    torch.manual_seed(3)
    # torch's own arithmetic may round a batch of one otherwise.
    check(model(), FirstSpike(0.25), hold, event_driven=False, to_the_bit=False, **options)


def test_a_model_that_still_normalises_by_its_batch_is_refused():
    with pytest.raises(InputError, match=r"model.eval\(\)"):
        Decider(convolutional("conv-rank-snn").train(), FirstSpike(1.0), N_STEPS)


def test_double_precision_takes_the_dense_path_to_the_bit():
    torch.set_default_dtype(torch.float64)
    try:
        check(lstm().double(), FirstSpike(0.6), event_driven=False, to_the_bit=False)  # kept as float32
    finally:
        torch.set_default_dtype(torch.float32)


def pushes(decider, events):
    return [decider.push(each) for each in events[: decider.n_steps]]


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("make", [lstm, spiking, lambda: spiking(neuron="synaptic")])
def test_reset_forgets_the_sample_and_two_deciders_do_not_meet(make, hold):
    rule = FirstSpike(1.0) if make is lstm else FirstSpike(1e4)
    model = make()
    one, two = (Decider(model, rule, N_STEPS, hold=hold) for _ in range(2))
    first, second = events_by_step(samples(hold=hold))[2:4]
    alone = pushes(one, first)[-1]
    one.reset()
    other = pushes(one, second)[-1]
    one.reset()
    for events in second[:3]:  # abandoned half-way
        one.push(events)
    assert one.step == 3
    one.reset()
    assert one.step == 0
    together = [(one.push(a), two.push(b)) for a, b in zip(first, second, strict=True)]
    assert together[:-1] == [(None, None)] * (N_STEPS - 1)
    assert together[-1] == (alone, other)
    assert isinstance(alone, Decided)
    assert not alone.decided
    assert alone.step == N_STEPS - 1


def test_events_in_any_order_and_integer_type_or_as_a_list():
    model, rule = spiking(), FirstSpike(1e4)
    events = events_by_step(samples())[2]
    plain, reordered, listed = (Decider(model, rule, N_STEPS) for _ in range(3))
    expected = pushes(plain, events)[-1]
    backwards = pushes(reordered, [each.astype(np.int32)[::-1] for each in events])[-1]
    assert pushes(listed, [each.tolist() for each in events])[-1] == expected
    assert backwards.label == expected.label
    assert backwards.evidence == pytest.approx(expected.evidence, rel=1e-4)


def test_events_of_a_sample_are_its_code():
    encoded = samples()
    for row, events in enumerate(events_by_step(encoded)):
        assert len(events) == N_STEPS
        for step, channels in enumerate(events):
            np.testing.assert_array_equal(channels, np.flatnonzero(encoded.at(step)[row].numpy()))


@pytest.mark.parametrize("make", [lstm, spiking, lambda: spiking(neuron="synaptic")])
@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([3, 36], r"channel 36 is out of range; channels are 0\.\.35"),
        ([-1], "channel -1 is out of range"),
        ([4, 5, 4], "channel 4 is named twice at step 1"),
        ([*range(36), 0], "37 events at one step"),
        ([0.0, 1.0], "np.flatnonzero"),
        ([[1]], r"shape \(1, 1\)"),
    ],
)
def test_unusable_events_are_refused_and_change_nothing(make, events, message):
    rule = FirstSpike(1.0) if make is lstm else FirstSpike(1e4)
    model = make()
    disturbed, calm = Decider(model, rule, N_STEPS), Decider(model, rule, N_STEPS)
    given = events_by_step(samples())[2]
    disturbed.push(given[0])
    with pytest.raises(InputError, match=message):
        disturbed.push(events)
    assert disturbed.step == 1
    assert [disturbed.push(each) for each in given[1:]] == pushes(calm, given)[1:]


def test_a_channel_of_a_step_code_comes_on_once():
    decider = Decider(spiking(), FirstSpike(1e4), N_STEPS, hold=True)
    decider.push([3])
    for _ in range(2):  # the refused push neither took 2 on nor 3 off
        with pytest.raises(InputError, match="channel 3 is already on"):
            decider.push([2, 3])
    decider.push([2])
    decider.reset()
    decider.push([3])
    one_shot = Decider(spiking(), FirstSpike(1e4), N_STEPS)
    for _ in range(3):  # a multi-spike train is no fault
        one_shot.push([3])


def test_a_decided_sample_takes_no_more_events():
    decider = Decider(lstm(), FirstSpike(0.01), N_STEPS)
    assert decider.push([1, 2]).step == 0
    with pytest.raises(InputError, match=r"decided at step 0; call reset\(\)"):
        decider.push([])


def test_constructor_refuses_what_could_not_decide():
    with pytest.raises(InputError, match="cannot be met by a probability"):
        Decider(lstm(), FirstSpike(4.0), N_STEPS)
    with pytest.raises(InputError, match="n_steps"):
        Decider(lstm(), FirstSpike(0.9), 0)
    with pytest.raises(InputError, match="pass n_channels"):
        Decider(Counting(), FirstSpike(1.0), N_STEPS)
    with pytest.raises(InputError, match="reads 36 channels"):
        Decider(lstm(), FirstSpike(0.9), N_STEPS, n_channels=35)
    with pytest.raises(InputError, match=r"model\.eval\(\)"):
        Decider(rc_lstm(LAYOUT, N_CLASSES, hidden=4, dropout=0.5), FirstSpike(0.9), N_STEPS)
    broken = spiking()
    with torch.no_grad():
        broken["readout"].bias[0] = float("nan")
    with pytest.raises(InputError, match=r"readout\.bias holds NaN"):
        Decider(broken, FirstSpike(1.0), N_STEPS)
    with pytest.raises(InputError, match="build one that fits"):
        Decider(lstm(), FirstSpike(0.9), N_STEPS).decide_all(samples(hold=True))


def test_weights_are_those_at_construction():
    model, rule = spiking(), FirstSpike(1e4)
    events = events_by_step(samples())[2]
    decider = Decider(model, rule, N_STEPS)
    before = pushes(decider, events)[-1]
    with torch.no_grad():
        model["readout"].stored.zero_()
    decider.reset()
    assert pushes(decider, events)[-1] == before


def test_large_gates_saturate():
    check(lstm(gain=400.0), FirstSpike(0.6))


@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_thresholds_met_exactly_fire_the_output_but_no_hidden_neuron(reset, hold):
    # Weights in quarters and decays of a half: every sum is exact, and equals a threshold often.
    model = spiking(2, reset=reset)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_((parameter * 4).round() / 4)
        for decay in (model["neurons1"].neuron.beta, model["neurons2"].neuron.beta, model["output"].decay):
            decay.fill_(0.5)
    encoded = samples(400, hold=hold)
    rule = FirstSpike(0.5)
    with torch.no_grad():
        expected = run_to_decision(model, encoded, rule).decision()
    got = Decider(model, rule, N_STEPS, hold=hold).decide_all(encoded)
    assert_same(got, expected)
    np.testing.assert_array_equal(got.evidence, expected.evidence)
    assert (expected.evidence[expected.decided] == 0.5).any()
    assert expected.tied.any()


def test_the_gates_tanh_is_tanh():
    x = np.linspace(-12, 12, 20001, dtype=np.float32)
    np.testing.assert_allclose([tanh(each) for each in x], np.tanh(x.astype(np.float64)), atol=4e-7)
