"""The compiled run of an LSTM layer with a readout: weights in, decisions and gradients out."""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.models import lstm_kernels as kernels
from rc_vs_snn.models.deferred import Remembered, token_of
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.rc_lstm import LSTMCell
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.models.runs import Pairs, mask_of
from rc_vs_snn.models.sparse import by_source


class LSTMRun:
    """See ``compiled.Run``."""

    def __init__(self, model: Model) -> None:
        assert isinstance(model, RecurrentClassifier)
        cell = model.cells[0]
        assert isinstance(cell, LSTMCell)
        self._model, self._cell, self._readout = model, cell, model.readout

    @staticmethod
    def n_inputs(model: Model) -> int:
        """See ``compiled.Run``."""
        assert isinstance(model, RecurrentClassifier)
        return cast(LSTMCell, model.cells[0]).input.in_features

    def decide(self, encoded: SpikeTimes, thresholds: np.ndarray, *, keep: bool) -> Pairs:
        """See ``compiled.Run``."""
        cell, readout = self._cell, self._readout
        mask = mask_of(self._model.initial_state(len(encoded), "cpu"), 2)
        *shared, gates, incoming, h, c, tanh_c = kernels.lstm_forward(
            encoded.steps.contiguous().numpy(), encoded.hold, thresholds, by_source(cell.input.weight),
            cell.input.bias.detach().numpy(), by_source(cell.recurrent.weight), by_source(readout.weight),
            readout.bias.detach().numpy(), mask, keep,
        )  # fmt: skip
        return Pairs(mask, (gates, incoming, h, c, tanh_c), *shared)

    def differentiable(self, pairs: Pairs) -> Tensor:
        """See ``compiled.Run``."""
        layers = (self._cell.input, self._cell.recurrent, self._readout)
        tokens = [token_of(layer) for layer in layers]
        weights = (layer.weight.detach() for layer in layers[1:])
        remembered = [where for _, where in tokens]
        return _Readouts.apply(*(token for token, _ in tokens), *weights, remembered, pairs)


class _Readouts(torch.autograd.Function):
    """Hands out what a run computed; its backward is the way back through every pair."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        _, _, _, recurrent, readout, ctx.remembered, ctx.pairs = inputs
        ctx.save_for_backward(recurrent, readout)
        return torch.from_numpy(ctx.pairs.readouts[: ctx.pairs.bounds[-1]])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        recurrent, readout = ctx.saved_tensors
        pairs: Pairs = ctx.pairs
        gates, incoming, h, c, tanh_c = pairs.kept
        first, end = int(pairs.bounds[1]), int(pairs.bounds[-1])
        from_logits = gradients[0].contiguous()
        to_gates = np.empty((end, gates.shape[1]), np.float32)
        kernels.lstm_backward(
            from_logits.numpy(), pairs.bounds, pairs.row, pairs.before, pairs.mask, gates, c, tanh_c,
            recurrent.contiguous().numpy(), readout.contiguous().numpy(), to_gates,
        )  # fmt: skip
        into, shown = torch.from_numpy(to_gates), h[:end]
        if len(pairs.mask):
            shown = shown * pairs.mask[pairs.row[:end]]
        by_input: Remembered
        by_input, by_recurrent, by_readout = ctx.remembered
        by_input.append((pairs.spikes(), into))
        by_recurrent.append((torch.from_numpy(incoming[first:end]), into[first:]))  # at step 0 from zeros
        by_readout.append((torch.from_numpy(shown), from_logits))
        one = into.new_ones((), dtype=torch.float64)
        return (one, one, one, None, None, None, None)
