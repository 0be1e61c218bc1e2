"""Products with inputs that are mostly zero: one row of synapses per spike, nothing per silent channel.

At T = 20 a late step of the latency code carries five spikes in 784 channels. A dense product reads
every weight all the same; these kernels read a spike's fan-out and no more.
"""

from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import Tensor

# Above this many spikes per sample the dense product is quicker. Measured on one core, 784 inputs, 512 and
# 1024 outputs, 16 to 256 rows: forward breaks even at about 110, the weight gradient at about 95.
MOST_SPIKES_PER_ROW = 90


@dataclass(frozen=True, eq=False)
class Spikes:
    """The entries of a matrix ``(rows, in)`` that are not 0, row by row.

    Attributes:
        start: where each row's entries begin, ``(rows + 1,)``.
        channel: column of each entry, ``(entries,)``.
        value: the entries, ``(entries,)``.
    """

    start: np.ndarray
    channel: np.ndarray
    value: np.ndarray


def compress(x: Tensor) -> Spikes | None:
    """Return the entries of ``x`` that are not 0, or None where a dense product is the better way."""
    if x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64):
        return None
    start, channel, value, count = _compress(x.detach().numpy(), MOST_SPIKES_PER_ROW * len(x))
    return Spikes(start, channel[:count], value[:count]) if count >= 0 else None


def project(spikes: Spikes, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``x @ weight.T + bias``, ``(rows, out)``.

    Args:
        spikes: x, ``(rows, in)``.
        weight: ``(out, in)``; no copy is made where its transpose is contiguous (see ``fan_out_major``).
        bias: ``(out,)`` or None.
    """
    rows = len(spikes.start) - 1
    out = weight.new_empty(rows, len(weight))
    rest = weight.new_zeros(len(weight)) if bias is None else bias.detach()
    synapses = weight.detach().t().contiguous()  # (in, out)
    _project(spikes.start, spikes.channel, spikes.value, synapses.numpy(), rest.numpy(), out.numpy())
    return out


def add_weight_gradient(spikes: Spikes, from_output: Tensor, transposed: Tensor) -> None:
    """Add ``x.T @ from_output`` to ``transposed``, ``(in, out)``."""
    _scatter(spikes.start, spikes.channel, spikes.value, from_output.contiguous().numpy(), transposed.numpy())


def fan_out_major(layer: torch.nn.Linear) -> torch.nn.Linear:
    """Lay a layer's weights out so that the synapses of one input are neighbours in memory.

    Shape, values and checkpoints stay as they are; only the strides change.
    """
    layer.weight.data = layer.weight.data.t().contiguous().t()
    return layer


@numba.njit(cache=True)
def _compress(x, limit):  # type: ignore[no-untyped-def]
    rows, width = x.shape
    start = np.zeros(rows + 1, np.int64)
    channel = np.empty(limit, np.int32)
    value = np.empty(limit, x.dtype)
    count = 0
    for row in range(rows):
        for n in range(width):
            if x[row, n] != 0:
                if count == limit:
                    return start, channel, value, -1
                channel[count] = n
                value[count] = x[row, n]
                count += 1
        start[row + 1] = count
    return start, channel, value, count


@numba.njit(cache=True)
def _project(start, channel, value, synapses, bias, out):  # type: ignore[no-untyped-def]
    width = out.shape[1]
    for row in range(len(start) - 1):
        for n in range(width):
            out[row, n] = bias[n]
        entry, end = start[row], start[row + 1]
        while entry + 4 <= end:  # four at a time: the output is read and written a quarter as often
            i, j, k, m = channel[entry], channel[entry + 1], channel[entry + 2], channel[entry + 3]
            at_i, at_j, at_k, at_m = value[entry], value[entry + 1], value[entry + 2], value[entry + 3]
            for n in range(width):
                out[row, n] += (at_i * synapses[i, n] + at_j * synapses[j, n]) + (
                    at_k * synapses[k, n] + at_m * synapses[m, n]
                )
            entry += 4
        for rest in range(entry, end):
            source, factor = channel[rest], value[rest]
            for n in range(width):
                out[row, n] += factor * synapses[source, n]


@numba.njit(cache=True)
def _scatter(start, channel, value, from_output, transposed):  # type: ignore[no-untyped-def]
    width = transposed.shape[1]
    for row in range(len(start) - 1):
        for entry in range(start[row], start[row + 1]):
            source, factor = channel[entry], value[entry]
            for n in range(width):
                transposed[source, n] += factor * from_output[row, n]
