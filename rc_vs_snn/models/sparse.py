"""Products with inputs that are mostly zero: one row of synapses per spike, nothing per silent channel.

At T = 20 a late step of the latency code carries five spikes in 784 channels. A dense product reads
every weight all the same; these kernels read a spike's fan-out and no more.
"""

from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.models.products import add_entries, add_outer, add_product

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


def project(x: Tensor | Spikes, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return ``x @ weight.T + bias``, ``(rows, out)``; each row to the bit what it is in any other batch.

    Args:
        x: ``(rows, in)``, or its spikes: the result is the same.
        weight: ``(out, in)``; no copy is made where its transpose is contiguous (see ``fan_out_major``).
        bias: ``(out,)`` or None.
    """
    rows = len(x.start) - 1 if isinstance(x, Spikes) else len(x)
    out = weight.new_zeros(rows, len(weight)) if bias is None else bias.detach().repeat(rows, 1)
    synapses = by_source(weight)
    if isinstance(x, Spikes):
        _add_all(x.start, x.channel, x.value, synapses, out.numpy())
    else:
        add_product(x.detach().contiguous().numpy(), synapses, out.numpy())
    return out


def add_weight_gradient(spikes: Spikes, from_output: Tensor, transposed: Tensor, *, fresh: bool) -> None:
    """Add ``x.T @ from_output`` to ``transposed``, ``(in, out)``, or fill it if fresh."""
    rows = from_output.contiguous().numpy()
    add_outer(spikes.start, spikes.channel, spikes.value, rows, transposed.numpy(), fresh)


def by_source(weight: Tensor) -> np.ndarray:
    """Return ``(out, in)`` as contiguous ``(in, out)``: a view where ``fan_out_major`` laid it out."""
    return weight.detach().t().contiguous().numpy()


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


@numba.njit(cache=True, error_model="numpy")
def _add_all(start, channel, value, synapses, out):  # type: ignore[no-untyped-def]
    for row in range(len(out)):
        add_entries(channel, value, start[row], start[row + 1], synapses, out[row])
