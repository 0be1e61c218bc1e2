"""Networks written as their libraries' tutorials write them, small."""

import snntorch as snn
import torch
from torch import nn
from torch.nn import functional

N_CHANNELS, N_CLASSES = 16, 3


class Loop(nn.Module):
    """A loop over x's first axis, states made in ``forward``."""

    def __init__(self, kind=snn.Leaky, **options):
        super().__init__()
        options = options or {"beta": 0.9}
        self.fc1, self.lif1 = nn.Linear(N_CHANNELS, 12), kind(threshold=0.2, **options)
        self.fc2, self.lif2 = nn.Linear(12, N_CLASSES), snn.Leaky(beta=0.8, threshold=0.3)

    def states(self):
        return (self.lif1.init_leaky(),)

    def one(self, x, states, mem2):
        spk1, *states = self.lif1(self.fc1(x), *states)
        spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
        return spk2, states, mem2

    def forward(self, x):
        states, mem2 = self.states(), self.lif2.init_leaky()
        spk_rec, mem_rec = [], []
        for step in range(x.size(0)):
            spk2, states, mem2 = self.one(x[step], states, mem2)
            spk_rec.append(spk2)
            mem_rec.append(mem2)
        return torch.stack(spk_rec), torch.stack(mem_rec)


class SecondOrder(Loop):
    def __init__(self):
        super().__init__(snn.Synaptic, alpha=0.7, beta=0.9)

    def states(self):
        return self.lif1.init_synaptic()


class Alpha(Loop):
    def __init__(self):
        super().__init__(snn.Alpha, alpha=0.9, beta=0.6)

    def states(self):
        return self.lif1.init_alpha()


class RecurrentSpikes(Loop):
    def __init__(self):
        super().__init__(snn.RLeaky, beta=0.9, linear_features=12)

    def states(self):
        return self.lif1.init_rleaky()

    def one(self, x, states, mem2):
        states = self.lif1(self.fc1(x), *states)  # spikes and membrane
        spk2, mem2 = self.lif2(self.fc2(states[0]), mem2)
        return spk2, states, mem2


class BatchFirst(Loop):
    def forward(self, x):
        return super().forward(x.transpose(0, 1))


class Held(Loop):
    """A static input, shown ``num_steps`` times."""

    num_steps = 6

    def forward(self, x):
        return super().forward(x.expand(self.num_steps, *x.shape))


class Conv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.lif1 = nn.Conv2d(1, 2, 3, padding=1), snn.Leaky(beta=0.9, threshold=0.1)
        self.fc1, self.lif2 = nn.Linear(2 * 2 * 2, N_CLASSES), snn.Leaky(beta=0.8, reset_mechanism="zero")

    def forward(self, x):
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        mem_rec = []
        for step in range(x.size(0)):
            spk1, mem1 = self.lif1(functional.max_pool2d(self.conv1(x[step]), 2), mem1)
            _, mem2 = self.lif2(self.fc1(spk1.flatten(1)), mem2)
            mem_rec.append(mem2)
        return torch.stack(mem_rec)


class Hidden(nn.Module):
    """Hidden states, reset at the start of a forward that loops."""

    def __init__(self):
        super().__init__()
        self.net = hidden()

    def forward(self, x):
        for layer in self.net:
            if isinstance(layer, snn.Leaky):
                layer.reset_mem()
        return torch.stack([self.net(frame)[1] for frame in x])


class LSTMSpikes(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = snn.SLSTM(N_CHANNELS, N_CHANNELS, threshold=0.05), nn.Linear(N_CHANNELS, 3)

    def forward(self, x):
        syn, mem = self.lstm.init_slstm()
        readouts = []
        for frame in x:
            spk, syn, mem = self.lstm(frame, syn, mem)
            readouts.append(self.head(spk))
        return torch.stack(readouts)


def hidden():
    """``nn.Sequential`` with hidden states: its forward is one step."""
    return nn.Sequential(
        nn.Linear(N_CHANNELS, 12), snn.Leaky(beta=0.9, threshold=0.2, init_hidden=True),
        nn.Linear(12, N_CLASSES), snn.Leaky(beta=0.8, init_hidden=True, output=True),
    )  # fmt: skip


class Recurrent(nn.Module):
    """A classifier around a recurrent layer."""

    def __init__(self, kind=nn.LSTM, layers=1, batch_first=True, read="each", **options):
        super().__init__()
        self.rnn = kind(N_CHANNELS, 5, num_layers=layers, batch_first=batch_first, **options)
        self.head = nn.Linear(options.get("proj_size") or 5, N_CLASSES)
        self.read = read

    def forward(self, x):
        outputs, hidden = self.rnn(x)
        if self.read == "each":
            return self.head(outputs)
        if self.read == "last":
            return self.head(outputs[:, -1] if self.rnn.batch_first else outputs[-1])
        return self.head((hidden[0] if isinstance(hidden, tuple) else hidden)[-1])


class Cell(nn.Module):
    """A loop over a cell, which is given no state at first."""

    def __init__(self, kind=nn.LSTMCell):
        super().__init__()
        self.cell, self.head = kind(N_CHANNELS, 5), nn.Linear(5, N_CLASSES)

    def forward(self, x):
        state, readouts = None, []
        for frame in x:
            state = self.cell(frame, state)
            readouts.append(self.head(state[0] if isinstance(state, tuple) else state))
        return torch.stack(readouts)


class Stateful(nn.Module):
    """One step, which is given the last one's state and returns it."""

    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(N_CHANNELS, 5), nn.Linear(5, N_CLASSES)

    def forward(self, x, state=None):
        state = self.cell(x, state)
        return self.head(state), state


SPIKING = {
    "first": (Loop, "first"), "conv": (Conv, "first"), "hidden": (hidden, "step"),
    "hidden, reset inside": (Hidden, "first"), "second": (BatchFirst, "second"), "held": (Held, "held"),
    "synaptic": (SecondOrder, "first"), "alpha": (Alpha, "first"), "recurrent": (RecurrentSpikes, "first"),
    "slstm": (LSTMSpikes, "first"),
}  # fmt: skip
RECURRENT = {
    f"{kind.__name__}, {layers}, {'batch' if first else 'time'} first, {read}": (
        lambda kind=kind, layers=layers, first=first, read=read: Recurrent(kind, layers, first, read),
        "second" if first else "first",
    )
    for kind in (nn.LSTM, nn.GRU, nn.RNN)
    for layers, first, read in (
        (1, True, "each"),
        (2, False, "each"),
        (2, True, "last"),
        (1, False, "hidden"),
    )
}
RECURRENT |= {
    "projected": (lambda: Recurrent(nn.LSTM, 2, proj_size=4), "second"),
    "LSTMCell": (Cell, "first"), "GRUCell": (lambda: Cell(nn.GRUCell), "first"),
    "one step": (Stateful, "step"),
}  # fmt: skip
