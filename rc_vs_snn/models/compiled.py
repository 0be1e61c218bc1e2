"""What is compiled of the fully connected nets: from a stack's layers to the kernels' arguments.

Step by step through torch, a handful of rows that stay undecided cost little arithmetic and much dispatch.
A whole run is one call, and in training one autograd node; its readouts are to the bit those of the
layers' own steps at inference, and so are those of one sample at a time.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.kernels.given import Given
from rc_vs_snn.kernels.leaky import run as leaky
from rc_vs_snn.kernels.lstm import run as lstm
from rc_vs_snn.kernels.one_sample import Advance, Inputs, leaky_step, lstm_step
from rc_vs_snn.kernels.pairs import WholeRun
from rc_vs_snn.models.layers import RecurrentLeaky
from rc_vs_snn.models.stack import Compiled, Stack


def _given(encoded: Encoded) -> Given[Tensor]:
    lengths = encoded.lengths
    every = torch.full((len(encoded),), encoded.n_steps) if lengths is None else lengths
    if isinstance(encoded, SpikeTimes):
        return Given(encoded.steps, torch.zeros(0, 0, 0), encoded.hold, every)
    return Given(torch.zeros(0, 0, dtype=torch.uint8), encoded.values.float(), False, every)


def _lstm_run(net: Stack, encoded: Encoded, thresholds: np.ndarray) -> WholeRun:
    cell, readout = net["cell1"], net["readout"]
    weights = lstm.LSTMWeights(
        cell.input.fan_out, cell.input.bias, cell.recurrent.fan_out, readout.fan_out, readout.bias
    )
    return lstm.run(_given(encoded), thresholds, weights, _mask(net, len(encoded)))


def _leaky_run(net: Stack, encoded: Encoded, thresholds: np.ndarray) -> WholeRun:
    synapses, layer, readout = net["synapses1"], net["neurons1"], net["readout"]
    weights = leaky.LeakyWeights(
        synapses.fan_out, synapses.bias, layer.neuron.beta, layer.neuron.threshold, _recurrent(layer),
        readout.fan_out, readout.bias, net["output"].decay,
    )  # fmt: skip
    softmax, mask = net.evidence == "probability", _mask(net, len(encoded))
    return leaky.run(_given(encoded), thresholds, softmax, weights, layer.fused, mask)


def _recurrent(layer: torch.nn.Module) -> Tensor:
    """Return the synapses of a layer's spikes onto itself, by source, of no rows for none."""
    return layer.recurrent.fan_out if isinstance(layer, RecurrentLeaky) else _NONE


_NONE = torch.zeros(0, 0)


def _mask(net: Stack, rows: int) -> Tensor:
    """Return the dropout mask of every row, or one of no rows."""
    mask = net["dropout1"].initial_state(rows, net["readout"].bias).mask
    return _NONE if mask is None else mask


def _lstm_sample(net: Stack, thresholds: np.ndarray, hold: bool) -> Advance:
    cells, readout = _numbered(net, "cell"), net["readout"]
    width, n_classes = cells[0].hidden, readout.n_outputs
    first, *deeper = (_copy(cell.input.fan_out) for cell in cells)
    return partial(
        cast(Any, lstm_step),
        first,
        _stacked(deeper, (width, 4 * width)),
        _stacked([_copy(cell.recurrent.fan_out) for cell in cells]),
        _stacked([_copy(cell.input.bias) for cell in cells]),
        _copy(readout.fan_out),
        _copy(readout.bias),
        thresholds.astype(np.float32),
        hold,
        *Inputs.of(len(first)),
        np.zeros(5 * width, np.float32),
        np.zeros((3, len(cells), width), np.float32),
        np.zeros((2, n_classes), np.float32),
    )


def _leaky_sample(net: Stack, thresholds: np.ndarray, hold: bool) -> Advance:
    synapses, layers, readout = _numbered(net, "synapses"), _numbered(net, "neurons"), net["readout"]
    width, n_classes = synapses[0].n_outputs, readout.n_outputs
    first, *deeper = (_copy(each.fan_out) for each in synapses)
    return partial(
        cast(Any, leaky_step),
        first,
        _stacked(deeper, (width, width)),
        _stacked([_copy(each) for each in map(_recurrent, layers) if len(each)], (width, width)),
        np.stack(
            [
                [_copy(each.bias) for each in synapses],
                [_copy(layer.neuron.beta.clamp(0, 1)) for layer in layers],
                [_copy(layer.neuron.threshold) for layer in layers],
            ]
        ),
        layers[0].reset,
        _copy(readout.fan_out),
        np.stack([_copy(readout.bias), _copy(net["output"].decay.clamp(0, 1))]),
        thresholds.astype(np.float32),
        net.evidence == "probability",
        hold,
        *Inputs.of(len(first)),
        np.zeros((3, len(layers), width), np.float32),
        np.zeros((2, width + 1), np.int64),
        np.zeros((3, n_classes), np.float32),
    )


def _numbered(net: Stack, name: str) -> list:
    return [layer for key, layer in net.layers.items() if key.rstrip("0123456789") == name]


def _copy(tensor: Tensor) -> np.ndarray:
    return np.array(tensor.detach().numpy(), dtype=np.float32, order="C")


def _stacked(arrays: list[np.ndarray], shape: Iterable[int] = ()) -> np.ndarray:
    return np.stack(arrays) if arrays else np.zeros((0, *shape), np.float32)


LSTM_NET = Compiled(_lstm_run, _lstm_sample)
LSTM_NET_OF_MANY = Compiled(None, _lstm_sample)
LEAKY_NET = Compiled(_leaky_run, _leaky_sample)
LEAKY_NET_OF_MANY = Compiled(None, _leaky_sample)
