"""Synapses as a layer: ``x W^T + b``."""

import torch
from torch import Tensor

from rc_vs_snn.kernels.synapses import Synapses


class Linear(Synapses):
    """The options are those of ``Synapses``."""

    def connections(self) -> Tensor:
        """Return how many synapses each input enters, ``(in,)``."""
        return torch.full((self.n_inputs,), float(self.n_outputs))
