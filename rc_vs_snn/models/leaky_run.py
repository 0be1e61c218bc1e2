"""The compiled run of a leaky layer with a readout: weights in, decisions and gradients out."""

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.models import leaky_kernels as kernels
from rc_vs_snn.models.deferred import Remembered, token_of
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.lif import only_within
from rc_vs_snn.models.rank_snn import RankSNN, SpikingLayer
from rc_vs_snn.models.runs import Pairs, entries, mask_of
from rc_vs_snn.models.sparse import by_source


class LeakyRun:
    """See ``compiled.Run``."""

    def __init__(self, model: Model) -> None:
        assert isinstance(model, RankSNN)
        self._model, self._synapse = model, cast(nn.Linear, model.synapses[0])
        self._layer, self._output = cast(SpikingLayer, model.neurons[0]), model.output

    @staticmethod
    def n_inputs(model: Model) -> int:
        """See ``compiled.Run``."""
        assert isinstance(model, RankSNN)
        return cast(nn.Linear, model.synapses[0]).in_features

    @staticmethod
    def knows(model: RankSNN) -> bool:
        """Return whether the hidden neurons are those of ``lif.py``."""
        return cast(SpikingLayer, model.neurons[0]).surrogate is not None

    def decide(self, encoded: SpikeTimes, thresholds: np.ndarray, *, keep: bool) -> Pairs:
        """See ``compiled.Run``."""
        synapse, readout, neuron = self._synapse, self._model.readout, self._layer.neuron
        mask = mask_of(self._model.initial_state(len(encoded), "cpu"), 1)
        *shared, membrane, fired_start, fired, value = kernels.leaky_forward(
            encoded.steps.contiguous().numpy(), encoded.hold, thresholds,
            self._model.evidence == "probability", by_source(synapse.weight), synapse.bias.detach().numpy(),
            _clamped(self._layer), neuron.threshold.detach().numpy(), self._layer.reset,
            by_source(readout.weight), readout.bias.detach().numpy(), _clamped(self._output), mask, keep,
        )  # fmt: skip
        return Pairs(mask, (membrane, fired_start, fired, value), *shared)

    def differentiable(self, pairs: Pairs) -> Tensor:
        """See ``compiled.Run``."""
        tokens = [token_of(layer) for layer in (self._synapse, self._model.readout)]
        neuron = self._layer.neuron
        return _Readouts.apply(
            *(token for token, _ in tokens), neuron.beta, neuron.threshold, self._output.neuron.beta,
            self._model.readout.weight.detach(), self._layer, [where for _, where in tokens], pairs,
        )  # fmt: skip


def _clamped(layer: SpikingLayer) -> np.ndarray:
    return layer.neuron.beta.detach().clamp(0, 1).numpy()


class _Readouts(torch.autograd.Function):
    """Hands out what a run computed; its backward is the way back through every pair."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        _, _, decay, threshold, output_decay, readout, ctx.layer, ctx.remembered, ctx.pairs = inputs
        ctx.save_for_backward(decay, threshold, output_decay, readout)
        return torch.from_numpy(ctx.pairs.readouts[: ctx.pairs.bounds[-1]])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        decay, threshold, output_decay, readout = ctx.saved_tensors
        pairs: Pairs = ctx.pairs
        layer: SpikingLayer = ctx.layer
        membrane, fired_start, fired, value = pairs.kept
        end = int(pairs.bounds[-1])
        hidden = entries(fired_start, fired, end, value if len(value) else None)
        to_current = np.empty((end, membrane.shape[1]), np.float32)
        to_into = np.empty((end, len(output_decay)), np.float32)
        to_decay, to_threshold, to_output_decay = (
            torch.zeros_like(constant, dtype=torch.float64) for constant in (decay, threshold, output_decay)
        )
        kernels.leaky_backward(
            gradients[0].contiguous().numpy(), pairs.bounds, pairs.row, pairs.before, pairs.mask, membrane,
            pairs.readouts, decay.clamp(0, 1).numpy(), threshold.numpy(), layer.reset, layer.surrogate,
            np.float32(layer.slope), readout.contiguous().numpy(), output_decay.clamp(0, 1).numpy(),
            to_current, to_into, to_decay.numpy(), to_threshold.numpy(), to_output_decay.numpy(),
        )  # fmt: skip
        by_synapse: Remembered
        by_synapse, by_readout = ctx.remembered
        by_synapse.append((pairs.spikes(), torch.from_numpy(to_current)))
        by_readout.append((hidden, torch.from_numpy(to_into)))
        one = to_decay.new_ones(())
        return (
            one, one, only_within(decay, to_decay), to_threshold.float(),
            only_within(output_decay, to_output_decay), None, None, None, None,
        )  # fmt: skip
