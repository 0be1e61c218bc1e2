"""From a model to the function that advances one sample by one step.

A fast engine copies the weights out, laid out by source, and binds them and its own state to a
kernel. Every other model is stepped as it is, with a batch of one.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import cast

import numpy as np
import snntorch as snn
import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.conv_rank_snn import ConvRankSNN
from rc_vs_snn.models.conv_rc_lstm import ConvRCLSTM
from rc_vs_snn.models.interface import Model, State, evidence_of
from rc_vs_snn.models.norm import FirstStepNorm
from rc_vs_snn.models.rank_snn import RankSNN, SpikingLayer
from rc_vs_snn.models.rc_gru import GRUCell
from rc_vs_snn.models.rc_lstm import LSTMCell
from rc_vs_snn.models.recurrent import RecurrentClassifier
from rc_vs_snn.streaming.kernels import FAULT, UNDECIDED, admit, lstm_step, spiking_step

Advance = Callable[[np.ndarray, int, int], tuple[int, int, float]]
"""``(events, number of them, step) -> (label, classes at the threshold, evidence)``; see kernels.py."""


def build_engine(model: Model, thresholds: np.ndarray, n_channels: int, hold: bool) -> tuple[Advance, bool]:
    """Return what advances one sample, and whether it is event-driven (False: the dense fallback).

    Args:
        model: a trained classifier.
        thresholds: the rule's threshold at every step, ``(T,)`` float64.
        n_channels: number of channels C.
        hold: whether channels stay on.

    Raises:
        InputError: dropout is active, or a weight is not finite.
    """
    check_ready(model)
    if type(model) is RecurrentClassifier and _is_lstm(model):
        return _lstm_engine(model, thresholds, hold), True
    if type(model) is RankSNN and _is_leaky(model):
        return _spiking_engine(model, thresholds, hold), True
    return _DenseEngine(model, thresholds, n_channels, hold), False


def width_of(model: Model) -> int | None:
    """Return the number of input channels of the package's own models, None of any other."""
    if isinstance(model, RecurrentClassifier):
        cell = model.cells[0]
        return cell.input.in_features if isinstance(cell, LSTMCell | GRUCell) else None
    if isinstance(model, RankSNN):
        return cast(nn.Linear, model.synapses[0]).in_features
    if isinstance(model, ConvRankSNN):
        return math.prod(model.inputs)
    if isinstance(model, ConvRCLSTM):
        return math.prod(model.block.stages[0].inputs)
    return None


def check_ready(model: Model) -> None:
    """Raise InputError if decisions would be random (dropout), as in training (batch statistics) or NaN."""
    if not isinstance(model, nn.Module):
        return
    if model.training and _dropout(model) > 0:
        raise InputError("the model is in training mode, where dropout is random; call model.eval() first")
    if model.training and any(isinstance(module, FirstStepNorm) for module in model.modules()):
        raise InputError(
            "the model is in training mode, where it normalises by its batch; call model.eval() first"
        )
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise InputError(f"parameter {name} holds NaN or infinity: the model diverged; train it again")


def _dropout(model: nn.Module) -> float:
    if isinstance(model, ConvRCLSTM):
        model = model.recurrent
    return model.dropout if isinstance(model, RecurrentClassifier | RankSNN | ConvRankSNN) else 0.0


def _is_float32(model: nn.Module) -> bool:
    return all(p.dtype == torch.float32 and p.device.type == "cpu" for p in model.parameters())


def _is_lstm(model: RecurrentClassifier) -> bool:
    return _is_float32(model) and all(type(cell) is LSTMCell for cell in model.cells)


def _is_leaky(model: RankSNN) -> bool:
    return _is_float32(model) and all(type(layer.neuron) is snn.Leaky for layer in _layers(model))


def _layers(model: RankSNN) -> Sequence[SpikingLayer]:
    return cast(Sequence[SpikingLayer], model.neurons)


def _copy(tensor: Tensor) -> np.ndarray:
    return np.array(tensor.detach().numpy(), dtype=np.float32, order="C")


def _by_source(layers: Sequence[nn.Linear]) -> np.ndarray:
    """Return the weights of equal layers, ``(layer, in, out)``."""
    return np.stack([_copy(layer.weight.t()) for layer in layers])


def _by_source_or_none(layers: Sequence[nn.Linear], width: int, fan_out: int) -> np.ndarray:
    return _by_source(layers) if layers else np.zeros((0, width, fan_out), np.float32)


def _zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.float32)


def _lstm_engine(model: RecurrentClassifier, thresholds: np.ndarray, hold: bool) -> Advance:
    cells = [cast(LSTMCell, cell) for cell in model.cells]
    width, n_classes = model.hidden, model.readout.out_features
    first = _copy(cells[0].input.weight.t())
    h, c = _zeros(len(cells), width), _zeros(len(cells), width)
    on, logits, evidence = np.zeros(len(first), np.bool_), _zeros(n_classes), _zeros(n_classes)
    return partial(
        lstm_step,
        first,
        _by_source_or_none([cell.input for cell in cells[1:]], width, 4 * width),
        _by_source([cell.recurrent for cell in cells]),
        np.stack([_copy(cell.input.bias) for cell in cells]),
        _copy(model.readout.weight.t()),
        _copy(model.readout.bias),
        thresholds.astype(np.float32),
        hold,
        on,
        _zeros(4 * width),
        _zeros(4 * width),
        h,
        c,
        logits,
        evidence,
    )


def _spiking_engine(model: RankSNN, thresholds: np.ndarray, hold: bool) -> Advance:
    synapses, layers = [cast(nn.Linear, synapse) for synapse in model.synapses], _layers(model)
    width, n_classes = synapses[0].out_features, model.readout.out_features
    first = _copy(synapses[0].weight.t())
    membrane, spiked = _zeros(len(layers), width), np.zeros(width, np.int64)
    on, output, evidence = np.zeros(len(first), np.bool_), _zeros(n_classes), _zeros(n_classes)
    return partial(
        spiking_step,
        first,
        _by_source_or_none(synapses[1:], width, width),
        np.stack([_copy(synapse.bias) for synapse in synapses]),
        np.stack([_copy(layer.neuron.beta.clamp(0, 1)) for layer in layers]),
        np.stack([_copy(layer.neuron.threshold) for layer in layers]),
        layers[0].reset,
        _copy(model.readout.weight.t()),
        _copy(model.readout.bias),
        _copy(model.output.neuron.beta.clamp(0, 1)),
        thresholds.astype(np.float32),
        model.evidence == "probability",
        hold,
        on,
        _zeros(width),
        _zeros(width),
        membrane,
        spiked,
        output,
        evidence,
    )


class _DenseEngine:
    """Steps any model with a batch of one: the whole input at every step, whatever arrives.

    Args:
        model: the classifier, read at every step (not copied).
        thresholds: the rule's threshold at every step, ``(T,)``.
        n_channels: number of channels C.
        hold: whether channels stay on.
    """

    def __init__(self, model: Model, thresholds: np.ndarray, n_channels: int, hold: bool) -> None:
        self._model, self._thresholds, self._hold = model, thresholds, hold
        parameter = next(model.parameters(), None) if isinstance(model, nn.Module) else None
        self._device = torch.device("cpu") if parameter is None else parameter.device
        self._on = np.zeros(n_channels, np.bool_)
        self._state: State = ()

    def __call__(self, events: np.ndarray, count: int, step: int) -> tuple[int, int, float]:
        """Advance one step; see ``Advance``."""
        faulty = admit(events, count, self._on, step, self._hold)
        if faulty >= 0:
            return FAULT, faulty, 0.0
        active = self._on.copy()
        active[events[:count]] = True
        x = torch.from_numpy(active)[None].to(self._device, torch.get_default_dtype())  # (1, C)
        with torch.no_grad():
            state = self._model.initial_state(1, self._device) if step == 0 else self._state
            readout, self._state = self._model.step(x, state)
            evidence = evidence_of(readout, self._model.evidence)[0].cpu().numpy()  # (K,)
        reached = int((evidence >= evidence.dtype.type(self._thresholds[step])).sum())
        if reached == 0 and step < len(self._thresholds) - 1:
            return UNDECIDED, 0, 0.0
        label = int(evidence.argmax())
        return label, reached, float(evidence[label])
