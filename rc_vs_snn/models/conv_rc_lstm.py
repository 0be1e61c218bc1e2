"""Convolutional RC-LSTM: the shared front-end, then the paper's recurrent network."""

import math

import torch
from torch import Tensor, nn

from rc_vs_snn.models.conv import AnalogueBlock, as_images, stages
from rc_vs_snn.models.interface import State
from rc_vs_snn.models.rc_lstm import LSTMCell
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.registry import models
from rc_vs_snn.rules import EvidenceKind


@models.register("conv-rc-lstm")
class ConvRCLSTM(nn.Module):
    """Three convolutions, then an LSTM with a linear readout; softmax probabilities are the evidence.

    The front-end is stateless: it sees one time step's input. What must be remembered over steps is
    the LSTM's (or the code's: a step code keeps what has spiked in view).

    Args:
        layout: shape of the input channels, ``(H, W)`` or ``(channel, H, W)``.
        n_classes: number of classes K.
        maps: feature maps of the first convolution (the others have twice as many).
        hidden: LSTM units.
        dropout: probability of dropping an LSTM output unit in training, held over time steps.

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
    ) -> None:
        super().__init__()
        parts = stages(layout, maps)
        self.block = AnalogueBlock(parts)
        self.recurrent = RecurrentClassifier(
            LSTMCell, math.prod(parts[-1].outputs), n_classes, hidden, 1, dropout
        )

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return the LSTM's zero state."""
        return self.recurrent.initial_state(batch, device)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step; see ``Model.step``."""
        features = self.block(as_images(x, self.block.stages[0].inputs))
        return self.recurrent.step(features.flatten(1), state)

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        """Count synaptic operations of the convolutions, the LSTM and the readout."""
        acs, macs, features = self.block.operations(as_images(x, self.block.stages[0].inputs))
        more_acs, more_macs = self.recurrent.operations(features.flatten(1), before, after)
        return acs + more_acs, macs + more_macs
