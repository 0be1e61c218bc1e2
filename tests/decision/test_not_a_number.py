"""Evidence and thresholds that are no numbers are refused alike everywhere, with what diverged."""

import numpy as np
import pytest
import torch
from torch import nn

import rc_vs_snn as rv
from rc_vs_snn.encoded import Frames
from rc_vs_snn.errors import DivergedError
from rc_vs_snn.models import RankSNN


class Replay(nn.Module):
    """Its readout is its input."""

    evidence = "membrane"
    n_channels = 2

    def initial_state(self, batch, device):
        return (torch.zeros(batch, 1),)

    def step(self, x, state):
        return (x - 1) / (x - 1) * x, state  # 1 becomes NaN


def test_nan_is_refused_by_the_trace_the_run_and_the_stream():
    values = np.zeros((3, 1, 2), np.float32)  # (T, B, K)
    values[2, 0, 1] = 1
    trace = values.transpose(1, 0, 2).copy()
    trace[0, 2, 1] = np.nan
    rule = rv.FirstSpike(0.5)
    encoded = Frames(values, (2,))
    with pytest.raises(DivergedError, match="diverged"):
        rv.decide(trace, rule)
    with pytest.raises(DivergedError, match="diverged"):
        rv.run_to_decision(Replay(), encoded, rule)
    with pytest.raises(DivergedError, match="diverged"):
        rv.Decider(Replay(), rule, 3).decide_all(encoded)


def test_a_compiled_run_refuses_it_too():
    model = RankSNN((3,), 2, hidden=4)
    with torch.no_grad():
        model["readout"].bias[0] = float("nan")
    encoded = rv.SpikeTimes(torch.zeros(5, 3, dtype=torch.uint8), 2, (3,))
    for recording in (True, False):
        with torch.set_grad_enabled(recording), pytest.raises(DivergedError, match="NaN in 5 of 5 rows"):
            rv.run_to_decision(model, encoded, rv.FirstSpike(1.0))


class Never(nn.Module):
    """Learns nothing and then says NaN: what a diverged training looks like."""

    evidence = "probability"

    def __init__(self, layout, n_classes):
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_classes,), float("inf")))

    def initial_state(self, batch, device):
        return (torch.zeros(batch, 1),)

    def step(self, x, state):
        return self.weight.expand(len(x), -1) * 0, state


def test_a_training_that_says_nan_is_a_failed_run_and_no_crash(tmp_path):
    digits = rv.load_preset("digits").with_training(epochs=1)
    config = digits.add("never", like="RC-LSTM", model=Never).runs[-1]
    record = rv.run(config, tmp_path / "run", rv.Execution(device="cpu"))
    assert record.status == "failed"
    assert "diverged" in record.reason


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), -float("inf")])
def test_a_threshold_that_is_no_number_is_refused(threshold):
    rule = rv.FirstSpike(threshold)
    with pytest.raises(rv.InputError, match="threshold"):
        rv.decide(np.zeros((1, 2, 2), np.float32), rule)
    encoded = rv.SpikeTimes(torch.zeros(1, 3, dtype=torch.uint8), 2, (3,))
    with pytest.raises(rv.InputError, match="threshold"):
        rv.run_to_decision(RankSNN((3,), 2, hidden=4), encoded, rule)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_whole_numbers_are_compared_as_numbers(dtype):
    spikes = np.zeros((2, 4, 3), dtype)
    spikes[0, 2, 1] = 1  # class 1 fires at step 2; the second sample is silent
    decision = rv.decide(spikes, rv.FirstSpike(0.95))
    assert decision.step.tolist() == [2, 3]
    assert decision.label.tolist() == [1, 0]
    assert decision.decided.tolist() == [True, False]
