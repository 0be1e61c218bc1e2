"""Lists of spikes: what is not 0, and nothing per silent channel.

At T = 20 a late step of the latency code carries five spikes in 784 channels. A dense product reads every
weight all the same; what works on a list reads a spike's fan-out and no more.
"""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.compiling import compiled

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
    if not backend.compresses(x):
        return None
    start, channel, value, count = _compress(x.detach().numpy(), MOST_SPIKES_PER_ROW * len(x))
    return Spikes(start, channel[:count], value[:count]) if count >= 0 else None


@compiled()
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


@compiled(error_model="numpy")
def active(times, step, hold, channel, count):  # type: ignore[no-untyped-def]
    """Append the channels of one sample that are on at ``step``; return the new count."""
    for n in range(len(times)):
        channel[count] = n  # overwritten unless it is on: no branch to mispredict
        count += times[n] <= step if hold else times[n] == step
    return count


@compiled(error_model="numpy")
def spiking(membrane, threshold, spiked, count):  # type: ignore[no-untyped-def]
    """Append the neurons whose membrane is above threshold; return the new count."""
    for n in range(len(membrane)):
        spiked[count] = n  # overwritten unless it spiked: no branch to mispredict
        count += membrane[n] > threshold[n]
    return count
