"""One time step of one sample, compiled: sums of the rows of those that spiked, then the rule.

Every kernel returns ``(label, number of classes at or above the threshold, evidence)``, the label
``UNDECIDED`` while none is, or ``(FAULT, position of the first unusable event, 0)`` with its state
untouched. Synapses lie by source: row j holds all weights leaving input j, so a spike reads
neighbouring memory. The LIF arithmetic is that of models/lif.py, operation by operation.
"""

import numba
import numpy as np

from rc_vs_snn.models.arithmetic import fill_softmax, sigmoid, tanh

UNDECIDED, FAULT = -1, -2
SUBTRACT, ZERO = 0, 1


@numba.njit(cache=True, error_model="numpy")
def admit(events, count, on, step, hold):  # type: ignore[no-untyped-def]
    """Mark the channels that come on; return the position of an unusable event, or -1.

    ``on`` ``(C,)`` is all False between the steps of a one-shot code, and kept for a step code.
    """
    if hold and step == 0:
        on[:] = False
    faulty = -1
    for at in range(count):
        channel = events[at]
        if channel < 0 or channel >= len(on) or on[channel]:
            faulty = at
            break
        on[channel] = True
    if not hold or faulty >= 0:
        for at in range(count if faulty < 0 else faulty):
            on[events[at]] = False
    return faulty


@numba.njit(cache=True, error_model="numpy")
def _add_rows(rows, count, synapses, into):  # type: ignore[no-untyped-def]
    # Four rows per pass: ``into`` is read and written once for them, in the order of single sums.
    whole = count - count % 4
    for at in range(0, whole, 4):
        a, b, c, d = rows[at], rows[at + 1], rows[at + 2], rows[at + 3]
        for n in range(len(into)):
            into[n] = into[n] + synapses[a, n] + synapses[b, n] + synapses[c, n] + synapses[d, n]
    for at in range(whole, count):
        a = rows[at]
        for n in range(len(into)):
            into[n] += synapses[a, n]


@numba.njit(cache=True, error_model="numpy")
def _add_product(values, synapses, into):  # type: ignore[no-untyped-def]
    whole = len(values) - len(values) % 4
    for j in range(0, whole, 4):
        a, b, c, d = values[j], values[j + 1], values[j + 2], values[j + 3]
        for n in range(len(into)):
            into[n] = (
                into[n]
                + a * synapses[j, n]
                + b * synapses[j + 1, n]
                + c * synapses[j + 2, n]
                + d * synapses[j + 3, n]
            )
    for j in range(whole, len(values)):
        for n in range(len(into)):
            into[n] += values[j] * synapses[j, n]


@numba.njit(cache=True, error_model="numpy")
def _judge(evidence, threshold, is_last):  # type: ignore[no-untyped-def]
    label, reached = 0, 0
    for k in range(len(evidence)):
        if evidence[k] >= threshold:
            reached += 1
        if evidence[k] > evidence[label]:
            label = k
    if reached == 0 and not is_last:
        label = UNDECIDED
    return label, reached, evidence[max(label, 0)]


@numba.njit(cache=True, error_model="numpy")
def lstm_step(  # type: ignore[no-untyped-def]
    first, deeper, recurrent, bias, readout, readout_bias, thresholds, hold,
    on, held, gates, h, c, logits, evidence, events, count, step,
):  # fmt: skip
    """Advance a stacked LSTM one step and judge the softmax of its readout.

    Args:
        first: input synapses ``(C, 4H)``, gates i, f, g, o.
        deeper: synapses between layers ``(L - 1, H, 4H)``.
        recurrent: recurrent synapses ``(L, H, 4H)``.
        bias: gate biases ``(L, 4H)``.
        readout: ``(H, K)``.
        readout_bias: ``(K,)``.
        thresholds: the rule's threshold at every step, ``(T,)``.
        hold: whether channels stay on.
        on: channels on, ``(C,)`` bool.
        held: bias and input of the first layer, ``(4H,)``.
        gates: work space ``(4H,)``.
        h: outputs ``(L, H)``.
        c: cells ``(L, H)``.
        logits: work space ``(K,)``.
        evidence: class probabilities ``(K,)``.
        events: channels that spike, the first ``count`` entries.
        count: number of events.
        step: 0 starts a new sample.
    """
    faulty = admit(events, count, on, step, hold)
    if faulty >= 0:
        return FAULT, faulty, np.float32(0)
    if step == 0:
        c[:] = 0  # h needs none: step 0 takes no recurrent product
    if step == 0 or not hold:
        held[:] = bias[0]
    _add_rows(events, count, first, held)
    width = h.shape[1]
    for layer in range(len(h)):
        if layer == 0:
            gates[:] = held
        else:
            gates[:] = bias[layer]
            _add_product(h[layer - 1], deeper[layer - 1], gates)
        if step > 0:
            _add_product(h[layer], recurrent[layer], gates)
        cells, outputs = c[layer], h[layer]
        i, f, g, o = gates[:width], gates[width : 2 * width], gates[2 * width : 3 * width], gates[3 * width :]
        for n in range(width):
            cells[n] = sigmoid(f[n]) * cells[n] + sigmoid(i[n]) * tanh(g[n])
            outputs[n] = sigmoid(o[n]) * tanh(cells[n])
    logits[:] = readout_bias
    _add_product(h[len(h) - 1], readout, logits)
    fill_softmax(logits, evidence)
    return _judge(evidence, thresholds[step], step == len(thresholds) - 1)


@numba.njit(cache=True, error_model="numpy")
def _integrate(current, decay, threshold, reset, membrane):  # type: ignore[no-untyped-def]
    for n in range(len(membrane)):
        before = membrane[n]
        fired = np.float32(before > threshold[n])
        if reset == ZERO:
            before = before * (np.float32(1) - fired)
        value = decay[n] * before + current[n]
        membrane[n] = value - fired * threshold[n] if reset == SUBTRACT else value


@numba.njit(cache=True, error_model="numpy")
def _spiking(membrane, threshold, spiked):  # type: ignore[no-untyped-def]
    count = 0
    for n in range(len(membrane)):
        spiked[count] = n  # overwritten unless it spiked: no branch to mispredict
        count += membrane[n] > threshold[n]
    return count


@numba.njit(cache=True, error_model="numpy")
def spiking_step(  # type: ignore[no-untyped-def]
    first, deeper, bias, decay, threshold, reset, readout, readout_bias, output_decay, thresholds, softmax,
    hold, on, held, current, membrane, spiked, output, evidence, events, count, step,
):  # fmt: skip
    """Advance stacked leaky integrate-and-fire layers one step and judge the output membranes.

    Args:
        first: input synapses ``(C, H)``.
        deeper: synapses between layers ``(L - 1, H, H)``.
        bias: input current without spikes ``(L, H)``.
        decay: membrane decays per step ``(L, H)``.
        threshold: firing thresholds ``(L, H)``.
        reset: SUBTRACT or ZERO.
        readout: ``(H, K)``.
        readout_bias: ``(K,)``.
        output_decay: ``(K,)``.
        thresholds: the rule's threshold at every step, ``(T,)``.
        softmax: whether the evidence is the softmax of the output membranes.
        hold: whether channels stay on.
        on: channels on, ``(C,)`` bool.
        held: bias and input of the first layer, ``(H,)``.
        current: work space ``(H,)``.
        membrane: ``(L, H)``.
        spiked: work space ``(H,)``, integer.
        output: output membranes ``(K,)``.
        evidence: ``(K,)``.
        events: channels that spike, the first ``count`` entries.
        count: number of events.
        step: 0 starts a new sample.
    """
    faulty = admit(events, count, on, step, hold)
    if faulty >= 0:
        return FAULT, faulty, np.float32(0)
    if step == 0:
        membrane[:] = 0
        output[:] = 0
    if step == 0 or not hold:
        held[:] = bias[0]
    _add_rows(events, count, first, held)
    n_spiked = 0
    for layer in range(len(membrane)):
        if layer == 0:
            _integrate(held, decay[0], threshold[0], reset, membrane[0])
        else:
            current[:] = bias[layer]
            _add_rows(spiked, n_spiked, deeper[layer - 1], current)
            _integrate(current, decay[layer], threshold[layer], reset, membrane[layer])
        n_spiked = _spiking(membrane[layer], threshold[layer], spiked)
    evidence[:] = readout_bias
    _add_rows(spiked, n_spiked, readout, evidence)
    for k in range(len(output)):
        output[k] = output_decay[k] * output[k] + evidence[k]
    if softmax:
        fill_softmax(output, evidence)
    else:
        evidence[:] = output
    return _judge(evidence, thresholds[step], step == len(thresholds) - 1)
