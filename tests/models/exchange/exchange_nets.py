"""Networks of every layer that NIR has a form for, small, with constants all over their range."""

import torch

from rc_vs_snn.models import ConvRankSNN, RankSNN, RecurrentRankSNN

SYNAPTIC = {"hidden": 16, "neuron": "synaptic", "gain": 3.0}
NETS = {
    "leaky, subtract": lambda: RankSNN((20,), 4, hidden=16, gain=3.0, learn_threshold=True),
    "leaky, zero, two layers": lambda: RankSNN((20,), 4, hidden=16, layers=2, reset="zero", gain=3.0),
    "synaptic, subtract": lambda: RankSNN((20,), 4, **SYNAPTIC),
    "synaptic, zero": lambda: RankSNN((20,), 4, **SYNAPTIC, reset="zero"),
    "recurrent leaky, subtract": lambda: RecurrentRankSNN((20,), 4, hidden=16, gain=3.0, spike_grad="atan"),
    "recurrent leaky, zero": lambda: RecurrentRankSNN((20,), 4, hidden=16, reset="zero", gain=3.0),
    "recurrent synaptic, subtract": lambda: RecurrentRankSNN(
        (20,), 4, hidden=16, neuron="synaptic", gain=3.0
    ),
    "recurrent synaptic, zero": lambda: RecurrentRankSNN(
        (20,), 4, **SYNAPTIC, reset="zero", evidence="softmax"
    ),
    "conv, batch norm, hidden": lambda: ConvRankSNN((1, 8, 8), 4, maps=4, hidden=16),
    "conv, six, no norm": lambda: ConvRankSNN(
        (2, 8, 9), 4, maps=4, hidden=0, norm="none", depth=6, readout_decay=0.5, reset="zero"
    ),
    "conv, one row, no integration": lambda: ConvRankSNN((1, 9), 4, maps=4, hidden=8, readout_decay=0.0),
}


def net(name):
    """Return a network with drawn constants: decays beyond 0 and 1, too, which are clipped when used."""
    torch.manual_seed(0)
    model = NETS[name]()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if key.endswith(("beta", "alpha", "decay")):
                weight.uniform_(-0.1, 1.1)
            elif key.endswith("threshold"):
                weight.uniform_(0.5, 1.5)
            elif "norm" in key or "bias" in key:
                weight.add_(0.1 * torch.randn_like(weight))
        for key, value in model.named_buffers():
            if key.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif key.endswith("running_mean"):
                value.normal_()
    return model.eval()


def spikes(model, n_steps=7, n_rows=5):
    """Return input spikes ``(T, B, C)``."""
    torch.manual_seed(1)
    return (torch.rand(n_steps, n_rows, model.n_channels) < 0.3).float()


@torch.no_grad()
def readouts(model, frames):
    """Return a model's readouts ``(T, B, K)``."""
    state, found = model.initial_state(frames.shape[1], "cpu"), []
    for frame in frames:
        readout, state = model.step(frame, state)
        found.append(readout)
    return torch.stack(found)
