"""Compiled loops of ``tail.py``: the last few rows of a batch, all their steps in one call.

A pair is one row at one step it was still undecided at; pairs are numbered step by step.
"""

import numba
import numpy as np

from rc_vs_snn.models.arithmetic import fill_softmax, sigmoid, tanh


@numba.njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def _add_dots(x, weight, into):  # type: ignore[no-untyped-def]
    # into += x @ weight.T; each row of weights is read once for all rows of x, four at a time.
    whole = len(weight) - len(weight) % 4
    for n in range(0, whole, 4):
        for r in range(len(x)):
            a, b, c, d = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for j in range(weight.shape[1]):
                a += x[r, j] * weight[n, j]
                b += x[r, j] * weight[n + 1, j]
                c += x[r, j] * weight[n + 2, j]
                d += x[r, j] * weight[n + 3, j]
            into[r, n] += a
            into[r, n + 1] += b
            into[r, n + 2] += c
            into[r, n + 3] += d
    for n in range(whole, len(weight)):
        for r in range(len(x)):
            total = np.float32(0)
            for j in range(weight.shape[1]):
                total += x[r, j] * weight[n, j]
            into[r, n] += total


@numba.njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_product(x, weight, into):  # type: ignore[no-untyped-def]
    # into += x @ weight, four rows of weights at a time for all rows of x.
    whole = len(weight) - len(weight) % 4
    for j in range(0, whole, 4):
        for r in range(len(x)):
            a, b, c, d = x[r, j], x[r, j + 1], x[r, j + 2], x[r, j + 3]
            for n in range(weight.shape[1]):
                into[r, n] += (
                    a * weight[j, n] + b * weight[j + 1, n] + (c * weight[j + 2, n] + d * weight[j + 3, n])
                )
    for j in range(whole, len(weight)):
        for r in range(len(x)):
            for n in range(weight.shape[1]):
                into[r, n] += x[r, j] * weight[j, n]


@numba.njit(cache=True)
def events_of(times, n_steps, start):  # type: ignore[no-untyped-def]
    """Return spikes in order of time: offsets ``(rows, T + 1)`` and channels; earlier than start = at -1."""
    rows, width = times.shape
    offset = np.zeros((rows, n_steps + 2), np.int64)  # bucket 0: before start; then steps 0..T-1
    channel = np.empty(rows * width, np.int32)
    base = 0
    for r in range(rows):
        count = np.zeros(n_steps + 2, np.int64)
        for n in range(width):
            at = np.int64(times[r, n])
            if at < n_steps:
                count[at + 1 if at >= start else 0] += 1
        for s in range(n_steps + 1):
            offset[r, s] = base
            base += count[s]
            count[s] = offset[r, s]
        offset[r, n_steps + 1] = base
        for n in range(width):
            at = np.int64(times[r, n])
            if at < n_steps:
                bucket = at + 1 if at >= start else 0
                channel[count[bucket]] = n
                count[bucket] += 1
    return offset, channel[:base]


@numba.njit(cache=True, error_model="numpy", fastmath={"contract"})
def _add_events(channel, begin, end, synapses, into):  # type: ignore[no-untyped-def]
    at = begin
    while at + 4 <= end:
        a, b, c, d = channel[at], channel[at + 1], channel[at + 2], channel[at + 3]
        for n in range(len(into)):
            into[n] += (synapses[a, n] + synapses[b, n]) + (synapses[c, n] + synapses[d, n])
        at += 4
    for rest in range(at, end):
        a = channel[rest]
        for n in range(len(into)):
            into[n] += synapses[a, n]


@numba.njit(cache=True, error_model="numpy", fastmath={"contract"})
def lstm_forward(  # type: ignore[no-untyped-def]
    offset, channel, hold, start, thresholds, h0, c0, mask, synapses, bias, recurrent, readout, readout_bias,
    gates, h, c, tanh_c, logits, row_of, before, bounds, last, spikes,
):  # fmt: skip
    """Advance all rows until each has decided; return the number of pairs."""
    rows, width = h0.shape
    n_classes = len(readout_bias)
    previous = np.full(rows, -1)
    alive = np.arange(rows)
    probability = np.empty(n_classes, np.float32)
    held = np.empty((rows, 4 * width), np.float32)
    for r in range(rows):
        held[r] = bias
        if hold:
            _add_events(channel, offset[r, 0], offset[r, 1], synapses, held[r])
    incoming = np.empty((rows, width), np.float32)
    pairs = 0
    for step in range(start, len(thresholds)):
        bounds[step - start] = pairs
        n = len(alive)
        if n == 0:
            continue
        for a in range(n):
            r, p = alive[a], pairs + a
            row_of[p], before[p] = r, previous[r]
            if hold:
                _add_events(channel, offset[r, step + 1], offset[r, step + 2], synapses, held[r])
                gates[p] = held[r]
            else:
                gates[p] = bias
                _add_events(channel, offset[r, step + 1], offset[r, step + 2], synapses, gates[p])
            if previous[r] >= 0:
                incoming[a] = h[previous[r]]
            else:
                incoming[a] = h0[r]
        _add_dots(incoming[:n], recurrent, gates[pairs : pairs + n])
        stay = np.zeros(n, np.bool_)
        for a in range(n):
            r, p = alive[a], pairs + a
            old = c[before[p]] if before[p] >= 0 else c0[r]
            i, f = gates[p, :width], gates[p, width : 2 * width]
            g, o = gates[p, 2 * width : 3 * width], gates[p, 3 * width :]
            for k in range(width):
                i[k] = sigmoid(i[k])
                f[k] = sigmoid(f[k])
                g[k] = tanh(g[k])
                o[k] = sigmoid(o[k])
                c[p, k] = f[k] * old[k] + i[k] * g[k]
                tanh_c[p, k] = tanh(c[p, k])
                h[p, k] = o[k] * tanh_c[p, k]
            for k in range(n_classes):
                total = np.float32(0)
                for j in range(width):
                    total += readout[k, j] * (h[p, j] * mask[r, j])
                logits[p, k] = total + readout_bias[k]
            fill_softmax(logits[p], probability)
            reached = False
            for k in range(n_classes):
                spikes[r, k] = probability[k] >= thresholds[step]
                reached |= spikes[r, k]
            last[r] = p
            previous[r] = p
            stay[a] = not reached
        pairs += n
        alive = alive[stay]
    bounds[len(thresholds) - start] = pairs
    return pairs


@numba.njit(cache=True, error_model="numpy", fastmath={"contract"})
def lstm_backward(  # type: ignore[no-untyped-def]
    from_logits, bounds, row_of, before, c0, mask, gates, c, tanh_c, recurrent, readout,
    to_gates, to_h, to_c,
):  # fmt: skip
    """Fill the gradients of every pair's gates and of the incoming state, ``to_h`` and ``to_c``."""
    width = c0.shape[1]
    for step in range(len(bounds) - 2, -1, -1):
        begin, end = bounds[step], bounds[step + 1]
        carried = np.zeros((end - begin, width), np.float32)
        for p in range(begin, end):
            r = row_of[p]
            old = c[before[p]] if before[p] >= 0 else c0[r]
            for k in range(from_logits.shape[1]):
                if from_logits[p, k] != 0:
                    for n in range(width):
                        to_h[r, n] += from_logits[p, k] * readout[k, n] * mask[r, n]
            one = np.float32(1)
            for n in range(width):
                i, f, g, o = (
                    gates[p, n],
                    gates[p, width + n],
                    gates[p, 2 * width + n],
                    gates[p, 3 * width + n],
                )
                t = tanh_c[p, n]
                cell = to_c[r, n] + to_h[r, n] * o * (one - t * t)
                to_gates[p, n] = cell * g * i * (one - i)
                to_gates[p, width + n] = cell * old[n] * f * (one - f)
                to_gates[p, 2 * width + n] = cell * i * (one - g * g)
                to_gates[p, 3 * width + n] = to_h[r, n] * t * o * (one - o)
                to_c[r, n] = cell * f
        _add_product(to_gates[begin:end], recurrent, carried)
        for p in range(begin, end):
            to_h[row_of[p]] = carried[p - begin]
