"""Compiled loops of one leaky layer with a readout: whole batches to their decisions, and back.

Pairs are numbered and stored as in ``lstm/loops.py``; the neuron's arithmetic is that of ``cell.py``.
"""

import numpy as np

from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.given import frame_of
from rc_vs_snn.kernels.leaky.cell import NONE, integrate, retreat
from rc_vs_snn.kernels.pairs import copy, grown, only
from rc_vs_snn.kernels.probabilities import fill_softmax
from rc_vs_snn.kernels.rule import any_spike
from rc_vs_snn.kernels.spikes import active, spiking
from rc_vs_snn.kernels.sums import add_entries, add_product, add_rows


@compiled(error_model="numpy")
def forward(  # type: ignore[no-untyped-def]
    times, frames, hold, lengths, thresholds, softmax, synapses, bias, decay, threshold, recurrent, readout,
    readout_bias, output_decay, reset, mask, keep, room,
):  # fmt: skip
    """Advance all rows from step 0 until each has decided or ended.

    Args:
        times: as in ``given.Given``.
        frames: likewise.
        hold: likewise.
        lengths: likewise.
        thresholds: the rule's threshold at every step ``(T,)``.
        softmax: whether the evidence is the softmax of the output membranes.
        synapses: ``(C, H)``.
        bias: ``(H,)``.
        decay: of the hidden membranes, per step ``(H,)``.
        threshold: of the hidden neurons ``(H,)``.
        recurrent: of the hidden spikes of the step before ``(H, H)``, or of no rows for none.
        readout: ``(H, K)``.
        readout_bias: ``(K,)``.
        output_decay: ``(K,)``.
        reset: of the hidden neurons, as in ``cell.py``.
        mask: factor on each row's hidden spikes ``(rows, H)``, or of no rows for none.
        keep: whether pairs are kept.
        room: how many of them there may be: memory to start with.

    Returns:
        What ``pairs.Pairs`` holds: row, before, bounds, decided, last, chosen, start and channel of the
        input spikes, output membranes; then hidden membranes ``(slots, H)``, and the hidden spikes: where
        each pair's begin ``(slots + 1,)``, the neurons, and the factors on them if there is a mask.
    """
    n_channels, n_steps, (width, n_classes) = len(synapses), len(thresholds), readout.shape
    rows, dense = len(lengths), len(frames) > 0
    first = min(max(3 * rows, room), rows * n_steps) if keep else 2 * rows
    membrane = np.empty((first, width), np.float32)
    fired, value = np.empty(2 * width, np.int32), np.empty(2 * width if len(mask) else 0, np.float32)
    slots = rows * n_steps if keep else 2 * rows
    row, before, start = np.empty(slots, np.int64), np.empty(slots, np.int64), np.empty(slots + 1, np.int64)
    output, channel = np.empty((slots, n_classes), np.float32), np.empty(2 * n_channels, np.int32)
    fired_start, current = np.empty(slots + 1, np.int64), np.empty(width, np.float32)
    back = np.empty(width + 1, np.int32)
    bounds, decided, last = (
        np.empty(n_steps + 1, np.int64),
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
    )
    chosen, evidence = np.empty((rows, n_classes), np.float32), np.empty(n_classes, np.float32)
    silent, nothing, into = (
        np.zeros(width, np.float32),
        np.zeros(n_classes, np.float32),
        np.empty_like(evidence),
    )
    alive = np.arange(rows)
    pairs, entries, n_fired = 0, 0, 0
    for step in range(n_steps):
        bounds[step] = pairs
        begin = pairs if keep else step % 2 * rows
        if keep:
            membrane = grown(membrane, begin, begin + len(alive))
            channel = grown(channel, entries, entries + (len(alive) + 1) * n_channels)
            fired = grown(fired, n_fired, n_fired + (len(alive) + 1) * width)
            value = grown(value, n_fired, n_fired + len(alive) * width if len(mask) else 0)
        stay = np.zeros(len(alive), np.bool_)
        by_frame = np.empty((len(alive) if dense else 0, width), np.float32)
        if dense:
            for at in range(len(alive)):
                copy(bias, by_frame[at])
            add_product(frame_of(frames, step, alive), synapses, by_frame)
        for p in range(begin, begin + len(alive)):
            if not keep:
                entries, n_fired = 0, 0
            r = alive[p - begin]
            old = last[r] if step else -1
            row[p], before[p], start[p], fired_start[p] = r, old, entries, n_fired
            if dense:
                copy(by_frame[p - begin], current)
            else:
                copy(bias, current)
                entries = active(times[r], step, hold, channel, entries)
                add_rows(channel, start[p], entries, synapses, current)
            if len(recurrent) and step:
                if keep:  # the list of the step before is there
                    add_rows(fired, fired_start[old], fired_start[old + 1], recurrent, current)
                else:
                    n_back = spiking(membrane[old], threshold, back, 0)
                    add_rows(back, 0, n_back, recurrent, current)
            integrate(current, membrane[old] if step else silent, decay, threshold, reset, membrane[p])
            n_fired = spiking(membrane[p], threshold, fired, n_fired)
            start[p + 1], fired_start[p + 1] = entries, n_fired
            copy(readout_bias, into)
            if len(mask):
                for at in range(fired_start[p], n_fired):
                    value[at] = mask[r, fired[at]]
                add_entries(fired, value, fired_start[p], n_fired, readout, into)
            else:
                add_rows(fired, fired_start[p], n_fired, readout, into)
            integrate(into, output[old] if step else nothing, output_decay, nothing, NONE, output[p])
            decided[r], last[r] = step, p
            copy(output[p], chosen[r])
            if softmax:
                fill_softmax(output[p], evidence)
            else:
                copy(output[p], evidence)
            stay[p - begin] = step + 1 < lengths[r] and not any_spike(evidence, thresholds[step])
        pairs += len(alive)
        alive = only(alive, stay)
    bounds[n_steps] = pairs
    return (
        row, before, bounds, decided, last, chosen, start, channel, output, membrane, fired_start, fired,
        value,
    )  # fmt: skip


@compiled(error_model="numpy")
def backward(  # type: ignore[no-untyped-def]
    from_output, bounds, row_of, before, mask, membrane, output, decay, threshold, reset, surrogate, slope,
    recurrent, readout, output_decay, to_current, to_into, to_decay, to_threshold, to_output_decay,
):  # fmt: skip
    """Fill the gradients of every pair's input currents and of the neurons' constants.

    Args:
        from_output: gradients of the pairs' output membranes ``(pairs, K)``.
        bounds: as ``forward`` filled it.
        row_of: likewise.
        before: likewise.
        mask: as given to ``forward``.
        membrane: as ``forward`` filled it.
        output: likewise.
        decay: as given to ``forward``.
        threshold: likewise.
        reset: likewise.
        surrogate: derivative of a spike, as in ``cell.py``.
        slope: its steepness.
        recurrent: by target ``(H, H)``, or of no rows for none.
        readout: ``(K, H)``.
        output_decay: ``(K,)``.
        to_current: of the hidden neurons' currents, to be filled ``(pairs, H)``.
        to_into: of the output neurons' currents, to be filled ``(pairs, K)``.
        to_decay: to be added to, float64 ``(H,)``, or of no entries where it is not wanted.
        to_threshold: likewise.
        to_output_decay: likewise ``(K,)``.
    """
    rows, width, n_classes = bounds[1], membrane.shape[1], output.shape[1]
    carried = np.zeros((rows, n_classes), np.float32)
    to_membrane = np.zeros((rows, width), np.float32)
    by_spikes = np.empty(width, np.float32)
    silent, to_spikes = (
        np.zeros(width, np.float32),
        np.zeros((rows if len(recurrent) else 0, width), np.float32),
    )
    for step in range(len(bounds) - 2, -1, -1):
        begin, end = bounds[step], bounds[step + 1]
        for p in range(begin, end):
            r, old = row_of[p], before[p]
            by_spikes[:] = 0
            for k in range(n_classes):
                gradient = from_output[p, k] + carried[r, k]
                to_into[p, k] = gradient
                carried[r, k] = gradient * output_decay[k]
                if step and len(to_output_decay):
                    to_output_decay[k] += gradient * output[old, k]
            _add_readout(to_into[p], readout, by_spikes)
            if len(mask):
                for n in range(width):
                    by_spikes[n] *= mask[r, n]
            if len(recurrent):
                for n in range(width):
                    by_spikes[n] += to_spikes[r, n]
            retreat(
                by_spikes, to_membrane[r], membrane[old] if step else silent, membrane[p], decay, threshold,
                reset, surrogate, slope, to_current[p], to_membrane[r], to_decay, to_threshold,
            )  # fmt: skip
        if step and len(recurrent):
            by_pair = np.zeros((end - begin, width), np.float32)
            add_product(to_current[begin:end], recurrent, by_pair)
            for p in range(begin, end):
                copy(by_pair[p - begin], to_spikes[row_of[p]])


@compiled(error_model="numpy")
def _add_readout(gradient, readout, by_spikes):  # type: ignore[no-untyped-def]
    whole = len(gradient) - len(gradient) % 4
    for k in range(0, whole, 4):  # four at a time: the sums are read and written a quarter as often
        p, q, r, s = gradient[k], gradient[k + 1], gradient[k + 2], gradient[k + 3]
        a, b, c, d = readout[k], readout[k + 1], readout[k + 2], readout[k + 3]
        for n in range(len(by_spikes)):
            by_spikes[n] = by_spikes[n] + p * a[n] + q * b[n] + r * c[n] + s * d[n]
    for k in range(whole, len(gradient)):
        p, a = gradient[k], readout[k]
        for n in range(len(by_spikes)):
            by_spikes[n] += p * a[n]
