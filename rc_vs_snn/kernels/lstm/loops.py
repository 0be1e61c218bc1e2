"""Compiled loops of one LSTM layer with a readout: whole batches to their decisions, and back.

A pair is one row at one step at which it was still undecided. Pairs are numbered step by step and, when
they are kept for the way back, stored at their number; else a step's pairs overwrite those of the step
before the last. Sums take the order of ``sums.py``, so a row's readout does not depend on the batch.
"""

import numpy as np

from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.given import frame_of
from rc_vs_snn.kernels.lstm.cell import advance_cells, cells_backward
from rc_vs_snn.kernels.pairs import copy, grown, only
from rc_vs_snn.kernels.probabilities import fill_softmax
from rc_vs_snn.kernels.rule import any_spike
from rc_vs_snn.kernels.spikes import active
from rc_vs_snn.kernels.sums import add_product, add_rows


@compiled(error_model="numpy")
def forward(  # type: ignore[no-untyped-def]
    times, frames, hold, lengths, thresholds, synapses, bias, recurrent, readout, readout_bias, mask, keep,
    room,
):  # fmt: skip
    """Advance all rows from step 0 until each has decided or ended.

    Args:
        times: as in ``given.Given``.
        frames: likewise.
        hold: likewise.
        lengths: likewise.
        thresholds: the rule's threshold at every step ``(T,)``.
        synapses: ``(C, 4H)``.
        bias: ``(4H,)``.
        recurrent: ``(H, 4H)``.
        readout: ``(H, K)``.
        readout_bias: ``(K,)``.
        mask: factor on each row's outputs ``(rows, H)``, or of no rows for none.
        keep: whether pairs are kept.
        room: how many of them there may be: memory to start with.

    Returns:
        What ``pairs.Pairs`` holds: row, before, bounds, decided, last, chosen, start and channel of the
        input spikes, logits; then gates ``(slots, 4H)``, incoming (output at the step before, not filled
        at step 0), h, c and its tanh, ``(slots, H)`` each.
    """
    n_channels, n_steps, (width, n_classes) = len(synapses), len(thresholds), readout.shape
    rows, dense = len(lengths), len(frames) > 0
    slots = min(max(3 * rows, room), rows * n_steps) if keep else 2 * rows
    gates, incoming = np.empty((slots, 4 * width), np.float32), np.empty((slots, width), np.float32)
    h, c, tanh_c = np.empty_like(incoming), np.empty_like(incoming), np.empty_like(incoming)
    slots = rows * n_steps if keep else slots
    row, before, start = np.empty(slots, np.int64), np.empty(slots, np.int64), np.empty(slots + 1, np.int64)
    logits, channel = np.empty((slots, n_classes), np.float32), np.empty(2 * n_channels, np.int32)
    bounds, decided, last = (
        np.empty(n_steps + 1, np.int64),
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
    )
    chosen, evidence = np.empty((rows, n_classes), np.float32), np.empty(n_classes, np.float32)
    nothing, alive = np.zeros(width, np.float32), np.arange(rows)
    pairs, entries = 0, 0
    for step in range(n_steps):
        bounds[step] = pairs
        begin = pairs if keep else step % 2 * rows
        end = begin + len(alive)
        if keep:
            gates, incoming = grown(gates, begin, end), grown(incoming, begin, end)
            h, c, tanh_c = grown(h, begin, end), grown(c, begin, end), grown(tanh_c, begin, end)
            channel = grown(channel, entries, entries + (len(alive) + 1) * n_channels)
        for p in range(begin, end):
            if not keep:
                entries = 0
            r = alive[p - begin]
            row[p], before[p], start[p] = r, last[r] if step else -1, entries
            copy(bias, gates[p])
            if not dense:
                entries = active(times[r], step, hold, channel, entries)
                add_rows(channel, start[p], entries, synapses, gates[p])
            start[p + 1] = entries
        if dense:
            add_product(frame_of(frames, step, alive), synapses, gates[begin:end])
        if step:  # from a zero state, so at step 0, the product is known
            for p in range(begin, end):
                copy(h[before[p]], incoming[p])
            add_product(incoming[begin:end], recurrent, gates[begin:end])
        for p in range(begin, end):
            advance_cells(gates[p], c[before[p]] if step else nothing, c[p], tanh_c[p], h[p])
            copy(readout_bias, logits[p])
        shown = h[begin:end]
        if len(mask):
            shown = np.empty_like(shown)
            for p in range(begin, end):
                for n in range(width):
                    shown[p - begin, n] = h[p, n] * mask[row[p], n]
        add_product(shown, readout, logits[begin:end])
        stay = np.zeros(len(alive), np.bool_)
        for p in range(begin, end):
            r = row[p]
            decided[r], last[r] = step, p
            copy(logits[p], chosen[r])
            fill_softmax(logits[p], evidence)
            stay[p - begin] = step + 1 < lengths[r] and not any_spike(evidence, thresholds[step])
        pairs += len(alive)
        alive = only(alive, stay)
    bounds[n_steps] = pairs
    return row, before, bounds, decided, last, chosen, start, channel, logits, gates, incoming, h, c, tanh_c


@compiled(error_model="numpy", fastmath={"contract"})
def backward(  # type: ignore[no-untyped-def]
    from_logits, bounds, row_of, before, mask, gates, c, tanh_c, recurrent, readout, to_gates,
):  # fmt: skip
    """Fill the gradients of every pair's gates, ``(pairs, 4H)``.

    Args:
        from_logits: gradients of the pairs' logits ``(pairs, K)``.
        bounds: as ``forward`` filled it.
        row_of: likewise.
        before: likewise.
        mask: as given to ``forward``.
        gates: as ``forward`` filled it: the gates' values.
        c: likewise.
        tanh_c: likewise.
        recurrent: ``(4H, H)``.
        readout: ``(K, H)``.
        to_gates: to be filled.
    """
    width = c.shape[1]
    rows = bounds[1]
    to_h, to_c = np.zeros((rows, width), np.float32), np.zeros((rows, width), np.float32)
    nothing = np.zeros(width, np.float32)
    for step in range(len(bounds) - 2, -1, -1):
        begin, end = bounds[step], bounds[step + 1]
        for p in range(begin, end):
            r = row_of[p]
            _add_readout(from_logits[p], readout, mask, r, to_h[r])
            old = c[before[p]] if step else nothing
            cells_backward(to_h[r], to_c[r], old, gates[p], tanh_c[p], to_gates[p])
        if step:
            carried = np.zeros((end - begin, width), np.float32)
            add_product(to_gates[begin:end], recurrent, carried)
            for p in range(begin, end):
                copy(carried[p - begin], to_h[row_of[p]])


@compiled(error_model="numpy", fastmath={"contract"})
def _add_readout(from_logits, readout, mask, row, to_h):  # type: ignore[no-untyped-def]
    for k in range(len(from_logits)):
        gradient, weights = from_logits[k], readout[k]
        if gradient != 0:
            if len(mask):
                kept = mask[row]
                for n in range(len(to_h)):
                    to_h[n] += gradient * weights[n] * kept[n]
            else:
                for n in range(len(to_h)):
                    to_h[n] += gradient * weights[n]
