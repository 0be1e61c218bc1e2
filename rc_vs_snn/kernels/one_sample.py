"""One time step of one sample, compiled, by the sums, cells and rule of the batch: equal to it to the bit.

Every step returns ``(largest class, number of classes that spike, its evidence)``, or ``(FAULT, position of
the first unusable event, 0)`` with its state untouched. Synapses lie by
source. Channels are summed in ascending order, whatever the order in which their events were pushed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.leaky.cell import NONE, integrate
from rc_vs_snn.kernels.lstm.cell import advance_cells
from rc_vs_snn.kernels.pairs import copy
from rc_vs_snn.kernels.probabilities import fill_softmax
from rc_vs_snn.kernels.rule import judge
from rc_vs_snn.kernels.spikes import spiking
from rc_vs_snn.kernels.sums import add_entries, add_rows, add_to_row

FAULT = -1

Advance = Callable[[np.ndarray, np.ndarray, int, bool, int], tuple[int, int, float]]
"""``(channels, their inputs, how many, whether all inputs were 1, step) -> (label, spikes, evidence)``."""


class Inputs(NamedTuple):
    """What is on of C channels, and what ``admit`` works in.

    Attributes:
        on: which channels are on ``(C,)``: none between the steps of a one-shot code.
        source: those that are on, ascending, and last how many they were at the step before ``(C + 1,)``.
        level: input of each channel, and of each entry of ``source`` ``(2, C + 1)``.
    """

    on: np.ndarray
    source: np.ndarray
    level: np.ndarray

    @classmethod
    def of(cls, n_channels: int) -> "Inputs":
        """Return those of a sample in which nothing has come yet."""
        at = np.zeros(n_channels + 1, np.int64)
        return cls(np.zeros(n_channels, np.bool_), at, np.ones((2, n_channels + 1), np.float32))


@compiled(error_model="numpy")
def admit(events, values, count, plain, step, hold, on, source, level):  # type: ignore[no-untyped-def]
    """List the channels that are on; return how many, or ``-1 - p`` if the event at position p is unusable.

    Args:
        events: channels that spike, the first ``count`` entries.
        values: their inputs, likewise.
        count: number of events.
        plain: whether all inputs of the sample were 1; then ``level`` is not touched.
        step: 0 starts a new sample.
        hold: whether channels stay on.
        on: as in ``Inputs``.
        source: likewise.
        level: likewise.
    """
    if hold and step == 0:
        on[:] = False
    before = source[len(on)] if hold and step > 0 else 0
    usable, last, ascending = 0, -1, True
    while usable < count:
        channel = events[usable]
        if channel < 0 or channel >= len(on) or on[channel]:
            break
        on[channel] = True
        ascending &= channel > last
        last = channel
        usable += 1
    if usable == count:
        if not plain:
            for at in range(count):
                level[0, events[at]] = values[at]
        if ascending:
            _merge(events, count, source, before)
        else:
            at = 0
            for n in range(len(on)):
                source[at] = n  # overwritten unless it is on
                at += on[n]
        source[len(on)] = before + count
        if not plain:
            for at in range(before + count):
                level[1, at] = level[0, source[at]]
    if not hold or usable < count:
        for at in range(usable):
            on[events[at]] = False
    return before + count if usable == count else -1 - usable


@compiled(error_model="numpy")
def _merge(events, count, source, before):  # type: ignore[no-untyped-def]
    # Both ascend; from behind, so that nothing is overwritten before it is moved.
    old, new = before - 1, count - 1
    while new >= 0:
        if old >= 0 and source[old] > events[new]:
            source[old + new + 1] = source[old]
            old -= 1
        else:
            source[old + new + 1] = events[new]
            new -= 1


@compiled(error_model="numpy")
def _add_inputs(plain, source, level, listed, synapses, into):  # type: ignore[no-untyped-def]
    if plain:
        add_rows(source, 0, listed, synapses, into)
    else:
        add_entries(source, level[1], 0, listed, synapses, into)


@compiled(error_model="numpy")
def lstm_step(  # type: ignore[no-untyped-def]
    first, deeper, recurrent, bias, readout, readout_bias, thresholds, hold,
    on, source, level, work, state, classes, events, values, count, plain, step,
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
        on: as in ``Inputs``.
        source: likewise.
        level: likewise.
        work: of gates and of tanh of the cells ``(5H,)``.
        state: outputs and cells, at even and at odd steps ``(3, L, H)``.
        classes: logits and probabilities ``(2, K)``.
        events: channels that spike, the first ``count`` entries.
        values: their inputs, likewise.
        count: number of events.
        plain: whether all inputs of the sample were 1.
        step: 0 starts a new sample.
    """
    listed = admit(events, values, count, plain, step, hold, on, source, level)
    if listed < 0:
        return FAULT, -1 - listed, np.float32(0)
    # Two rows of cells in turn: a loop that writes what it reads is not turned into vector instructions.
    h, c, old, (n_layers, width) = state[0], state[1 + step % 2], state[2 - step % 2], state.shape[1:]
    gates, tanh_c = work[: 4 * width], work[4 * width :]
    if step == 0:
        old[:] = 0  # h needs none: step 0 takes no recurrent product
    for layer in range(n_layers):
        copy(bias[layer], gates)
        if layer == 0:
            _add_inputs(plain, source, level, listed, first, gates)
        else:
            add_to_row(h[layer - 1], deeper[layer - 1], gates)
        if step > 0:
            add_to_row(h[layer], recurrent[layer], gates)
        advance_cells(gates, old[layer], c[layer], tanh_c, h[layer])
    copy(readout_bias, classes[0])
    add_to_row(h[n_layers - 1], readout, classes[0])
    fill_softmax(classes[0], classes[1])
    return judge(classes[1], thresholds[step])


@compiled(error_model="numpy")
def leaky_step(  # type: ignore[no-untyped-def]
    first, deeper, recurrent, neurons, reset, readout, outputs, thresholds, softmax, hold,
    on, source, level, membrane, spiked, classes, events, values, count, plain, step,
):  # fmt: skip
    """Advance stacked leaky integrate-and-fire layers one step and judge the output membranes.

    Args:
        first: input synapses ``(C, H)``.
        deeper: synapses between layers ``(L - 1, H, H)``.
        recurrent: of the spikes of the step before ``(L, H, H)``, or of no layer for none.
        neurons: input current without spikes, decay per step and firing threshold ``(3, L, H)``.
        reset: of the hidden neurons, as in ``leaky/cell.py``.
        readout: ``(H, K)``.
        outputs: input current without spikes and decay per step of the output neurons ``(2, K)``.
        thresholds: the rule's threshold at every step, ``(T,)``.
        softmax: whether the evidence is the softmax of the output membranes.
        hold: whether channels stay on.
        on: as in ``Inputs``.
        source: likewise.
        level: likewise.
        membrane: at even and at odd steps, and work space ``(3, L, H)``.
        spiked: work space ``(2, H + 1)``, integer.
        classes: output membranes, evidence and work space ``(3, K)``.
        events: channels that spike, the first ``count`` entries.
        values: their inputs, likewise.
        count: number of events.
        plain: whether all inputs of the sample were 1.
        step: 0 starts a new sample.
    """
    listed = admit(events, values, count, plain, step, hold, on, source, level)
    if listed < 0:
        return FAULT, -1 - listed, np.float32(0)
    bias, decay, threshold = neurons[0], neurons[1], neurons[2]
    n_layers, n_spiked = len(bias), 0
    old, new, current = membrane[1 - step % 2], membrane[step % 2], membrane[2, 0]
    output, evidence, into = classes[0], classes[1], classes[2]
    fired, back = spiked[0], spiked[1]
    if step == 0:
        old[:] = 0
        output[:] = 0
    for layer in range(n_layers):
        copy(bias[layer], current)
        if layer == 0:
            _add_inputs(plain, source, level, listed, first, current)
        else:
            add_rows(fired, 0, n_spiked, deeper[layer - 1], current)
        if len(recurrent) and step:
            n_back = spiking(old[layer], threshold[layer], back, 0)
            add_rows(back, 0, n_back, recurrent[layer], current)
        integrate(current, old[layer], decay[layer], threshold[layer], reset, new[layer])
        n_spiked = spiking(new[layer], threshold[layer], fired, 0)
    copy(outputs[0], into)
    add_rows(fired, 0, n_spiked, readout, into)
    integrate(into, output, outputs[1], output, NONE, output)
    if softmax:
        fill_softmax(output, evidence)
    else:
        copy(output, evidence)
    return judge(evidence, thresholds[step])
