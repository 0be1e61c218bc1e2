"""Synapses as a layer."""

import torch
from torch import Tensor

from rc_vs_snn.kernels.synapses import Synapses
from rc_vs_snn.models.cost import Operations, Signal


class Linear(Synapses):
    """``x W^T + b``; the options are those of ``Synapses``."""

    def initial_state(self, batch: int, like: Tensor) -> None:
        """See ``Layer``."""
        return None

    def step(self, x: Tensor, state: None, step: int) -> tuple[Tensor, None]:
        """See ``Layer``."""
        return self(x), None

    def operations(self, x: Signal, before: None, after: None, step: int) -> tuple[Operations, Signal]:
        """See ``Layer``."""
        fan_out = torch.full((self.n_inputs,), float(self.n_outputs))
        return x.synaptic(fan_out), x.then(lambda: self(x.values), analogue=True)
