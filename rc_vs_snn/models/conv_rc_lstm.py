"""Convolutional RC-LSTM: the shared front-end, then the paper's recurrent network."""

import math

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.conv import AnalogueBlock, Depth, as_images, stages
from rc_vs_snn.models.interface import State
from rc_vs_snn.models.norm import Norm
from rc_vs_snn.models.rc_lstm import LSTMCell
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.registry import models
from rc_vs_snn.rules import EvidenceKind


@models.register("conv-rc-lstm")
class ConvRCLSTM(nn.Module):
    """Convolutions, then an LSTM with a linear readout; softmax probabilities are the evidence.

    The front-end is stateless: it sees one time step's input. What must be remembered over steps is
    the LSTM's (or the code's: a step code keeps what has spiked in view).

    Args:
        layout: shape of the input channels, ``(H, W)`` or ``(channel, H, W)``.
        n_classes: number of classes K.
        maps: feature maps of the first two convolutions (the others have twice as many).
        hidden: LSTM units.
        dropout: probability of dropping an LSTM output unit in training, held over time steps.
        norm: normalisation after each convolution: "group", "batch" (statistics of step 0) or "none".
        readout_decay: share of the last step's logits that is added to this step's, in [0, 1]; above 0
            evidence accumulates over steps, as in a membrane that integrates (0 in the paper).
        depth: number of convolutions, 4 or 6; see ``models.conv``.

    Raises:
        InputError: a size out of range, or an input that is no image.
    """

    evidence: EvidenceKind = "probability"

    def __init__(
        self,
        layout: tuple[int, ...],
        n_classes: int,
        maps: int = 16,
        hidden: int = 128,
        dropout: float = 0.0,
        norm: Norm = "group",
        readout_decay: float = 0.0,
        depth: Depth = 4,
    ) -> None:
        super().__init__()
        parts = stages(layout, maps, depth)
        if not 0 <= readout_decay <= 1:
            raise InputError(f"readout_decay must lie in [0, 1], got {readout_decay:g}")
        self.block = AnalogueBlock(parts, norm)
        self.readout_decay = readout_decay
        self.n_classes = n_classes
        self.recurrent = RecurrentClassifier(
            LSTMCell, math.prod(parts[-1].outputs), n_classes, hidden, 1, dropout
        )

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return a mark of step 0 ``(B, 1)``, zero logits ``(B, K)`` and the LSTM's zero state."""
        dtype = self.recurrent.readout.weight.dtype
        fresh = torch.ones(batch, 1, device=device, dtype=dtype)
        logits = torch.zeros(batch, self.n_classes, device=device, dtype=dtype)
        return (fresh, logits, *self.recurrent.initial_state(batch, device))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step; see ``Model.step``."""
        fresh, before, *rest = state
        features = self.block(as_images(x, self.block.stages[0].inputs), bool(fresh[0]))
        logits, new = self.recurrent.step(features.flatten(1), tuple(rest))
        if self.readout_decay:
            logits = self.readout_decay * before + logits
        return logits, (torch.zeros_like(fresh), logits, *new)

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        """Count synaptic operations of the convolutions, the LSTM and the readout."""
        acs, macs, features = self.block.operations(as_images(x, self.block.stages[0].inputs))
        more_acs, more_macs = self.recurrent.operations(features.flatten(1), before[2:], after[2:])
        return acs + more_acs, macs + more_macs
