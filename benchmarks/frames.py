"""One training step (forward, loss, backward, AdamW) on frames of mixed lengths, against the usual ways.

Random numbers of the shape of log-mel frames of the Free Spoken Digit Dataset: 40 bands every 10 ms, clip
lengths drawn as theirs are distributed. The published way runs `torch.nn.LSTM` over packed sequences and
gathers at each row's first crossing. A recurrent spiking net in snnTorch is a loop over `RLeaky` and all T
steps of the code, as its tutorials write it. Beside each stands the best that a user can make of it by hand:
padded sequences, which torch runs quicker; one input product for all steps; both cut to the longest clip of
the batch. Ours goes to each clip's decision, which thresholds put half way or out of reach.
"""

from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import snntorch as snn
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks import setup
from benchmarks.harness import Result, Row, rows_of, same_rows, time_in_turn
from benchmarks.training_step import PublishedLSTM, stepper
from rc_vs_snn.decision.batch import iterate, run_full, run_to_decision
from rc_vs_snn.decision.reading import evidence_of
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.encoded import Frames
from rc_vs_snn.models import RecurrentRankSNN, rc_lstm
from rc_vs_snn.training.objectives import RankCoding

OURS = "ours"
PUBLISHED = "published way (nn.LSTM, packed sequences, gather)"
PADDED = "nn.LSTM by hand (padded, cut)"
LOOP = "snnTorch RLeaky loop over T"
CUT_LOOP = "snnTorch RLeaky loop by hand (one input product, cut)"
N_STEPS, N_BANDS, N_CLASSES, SLOPE = 100, 40, 10, 10.0
LOG_FRAMES = (3.73, 0.31)
"""Mean and standard deviation of the logarithm of FSDD's 3,000 clip lengths, in steps of 10 ms."""


class PackedLSTM(PublishedLSTM):
    """`PublishedLSTM` over packed sequences.

    Args:
        model: whose weights it has.
        lengths: of the rows ``(B,)``.
    """

    def __init__(self, model: Any, lengths: Tensor) -> None:
        super().__init__(model)
        self.lengths = lengths

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits at every step, ``(T, B, K)``."""
        packed = pack_padded_sequence(x, self.lengths, enforce_sorted=False)
        return self.readout(pad_packed_sequence(self.lstm(packed)[0])[0])


class LoopedRLeaky(nn.Module):
    """snnTorch's recurrent neurons and its output neurons that integrate, with the weights of our model.

    Args:
        model: ours.
        at_once: whether the input product of all steps is one.
    """

    def __init__(self, model: Any, *, at_once: bool) -> None:
        super().__init__()
        self.at_once = at_once
        hidden, width = model["neurons1"].neuron, model["synapses1"].n_outputs
        self.synapses, self.readout = nn.Linear(N_BANDS, width), nn.Linear(width, N_CLASSES)
        self.synapses.load_state_dict(model["synapses1"].state_dict())
        self.readout.load_state_dict(model["readout"].state_dict())
        self.hidden = snn.RLeaky(
            beta=hidden.beta.detach().clone(),
            threshold=hidden.threshold.detach().clone(),
            linear_features=width,
            spike_grad=snn.surrogate.fast_sigmoid(SLOPE),
        )
        self.output = snn.Leaky(beta=model["output"].decay.detach().clone(), reset_mechanism="none")
        with torch.no_grad():
            self.hidden.recurrent.weight.copy_(model["neurons1"].recurrent.weight)
            self.hidden.recurrent.bias.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """Return the output membranes at every step, ``(T, B, K)``."""
        spikes = membrane = torch.zeros(x.shape[1], self.readout.in_features)
        potential, potentials = torch.zeros(x.shape[1], N_CLASSES), []
        for each in self.synapses(x) if self.at_once else x:
            current = each if self.at_once else self.synapses(each)
            spikes, membrane = self.hidden(current, spikes, membrane)
            _, potential = self.output(self.readout(spikes), potential)
            potentials.append(potential)
        return torch.stack(potentials)


def run(scale: setup.Scale) -> Result:
    encoded, labels = _batch(scale.batch_of_frames)
    mean = encoded.lengths.double().mean().item()
    rows, about = [], []
    for width in scale.hidden_frames:
        found, rate = _lstm(width, encoded, labels, scale), _rate(_snn_model(width), encoded)
        rows += [*found, *_snn(width, encoded, labels, scale)]
        about.append(f"recurrent-rank-snn {width}: {100 * rate:.0f} % of the hidden neurons fire at a step")
    return Result(
        f"training step on random frames of {N_BANDS} bands, batch {scale.batch_of_frames}, lengths "
        f"{int(encoded.lengths.min())} to {int(encoded.lengths.max())} of T = {N_STEPS}, on average "
        f"{mean:.1f}; untrained weights",
        "time of a step / ours (above 1: ours is quicker)",
        OURS,
        rows,
        models=about,
    )


def _batch(rows: int) -> tuple[Frames, Tensor]:
    draw = np.random.default_rng(0)
    lengths = np.exp(draw.normal(*LOG_FRAMES, rows)).round().clip(14, N_STEPS).astype(int)
    values = draw.normal(size=(N_STEPS, rows, N_BANDS)).astype(np.float32)
    encoded = Frames(torch.from_numpy(values), (1, N_BANDS), lengths=torch.from_numpy(lengths))
    return encoded, torch.from_numpy(draw.integers(0, N_CLASSES, rows))


def _snn_model(width: int) -> RecurrentRankSNN:
    torch.manual_seed(0)
    return RecurrentRankSNN((1, N_BANDS), N_CLASSES, hidden=width, gain=2.0, slope=SLOPE, learn_decay=False)


@torch.no_grad()
def _rate(model: RecurrentRankSNN, encoded: Frames) -> float:
    spikes = [each.after.layers["neurons1"].spikes for each in iterate(model, encoded)]
    return torch.cat(spikes).mean().item()


def _lstm(width: int, encoded: Frames, labels: Tensor, scale: setup.Scale) -> list[Row]:
    torch.manual_seed(0)
    model = rc_lstm((1, N_BANDS), N_CLASSES, hidden=width)
    x, cut = encoded.values, _cut(encoded)
    peers = {PUBLISHED: (PackedLSTM(model, encoded.lengths), x), PADDED: (PublishedLSTM(model), cut)}
    return _race(f"LSTM-{width}", model, peers, encoded, labels, scale)


def _cut(encoded: Frames) -> Tensor:
    return encoded.values[: int(encoded.lengths.max())]


def _snn(width: int, encoded: Frames, labels: Tensor, scale: setup.Scale) -> list[Row]:
    model = _snn_model(width)
    peers = {
        LOOP: (LoopedRLeaky(model, at_once=False), encoded.values),
        CUT_LOOP: (LoopedRLeaky(model, at_once=True), _cut(encoded)),
    }
    return _race(f"recurrent SNN-{width}", model, peers, encoded, labels, scale)


def _race(
    name: str,
    model: Any,
    peers: dict[str, tuple[nn.Module, Tensor]],
    encoded: Frames,
    labels: Tensor,
    scale: setup.Scale,
) -> list[Row]:
    """Race both operating points together; the others, a net and what it reads, cost the same at each."""
    half = setup.threshold_for(model, encoded, (encoded.lengths - 1).double().mean().item() / 2)
    within = (torch.arange(int(encoded.lengths.max()))[:, None] < encoded.lengths)[..., None]
    with torch.no_grad():
        ours = run_full(model, encoded)[: len(within)] * within
        for net, x in peers.values():
            same_rows(ours, net(x)[: len(within)] * within, at_least=0.95)
    contenders = {
        peer: stepper(net, partial(gathered_loss, net, x, model.evidence, encoded.lengths, labels, half))
        for peer, (net, x) in peers.items()
    }
    cases = []
    for rule in (half, FirstSpike(1e9)):
        mine = deepcopy(model)
        with torch.no_grad():
            step = run_to_decision(mine, encoded, rule).step.double()
        share = ((step + 1) / encoded.lengths).mean().item()
        cases.append(f"{name}, mean decision at step {step.mean():.1f} ({100 * share:.0f} % of a clip)")
        contenders[cases[-1]] = stepper(mine, partial(_ours, mine, encoded, labels, rule))
    times = time_in_turn(contenders, scale.rounds)
    return [
        row
        for case in cases
        for row in rows_of(case, {OURS: times[case], **{peer: times[peer] for peer in peers}}, "ms")
    ]


def gathered_loss(
    net: nn.Module, x: Tensor, evidence: Any, lengths: Tensor, labels: Tensor, rule: FirstSpike
) -> Tensor:
    """Return the cross-entropy at each row's first crossing, else at its own last step."""
    readouts = net(x)  # (T, B, K)
    crossed = (evidence_of(readouts.detach(), evidence) >= rule.threshold).any(2)  # (T, B)
    crossed |= torch.arange(len(readouts))[:, None] >= lengths - 1
    first = crossed.int().argmax(0)  # (B,)
    return functional.cross_entropy(readouts[first, torch.arange(len(labels))], labels)


def _ours(model: Any, encoded: Frames, labels: Tensor, rule: FirstSpike) -> Tensor:
    return RankCoding()(model, encoded, labels, rule)[0]
