"""The same spiking net in other libraries: our weights in, output membranes ``(T, B, K)`` out.

All compute ``v' = decay v (1 - fired) + input``, ``fired = v' > threshold`` (spikingjelly and norse
write the reset at the end of a step, snnTorch at the start of the next), and an output that only
integrates. The input product of all T steps is one matrix product for every peer.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.setup import DECAY
from rc_vs_snn.models.rank_snn import RankSNN

Net = Callable[[Tensor], Tensor]


def snntorch_net(model: RankSNN) -> Net:
    """snnTorch: `Leaky(reset_mechanism="zero")` in a loop over T, `Leaky(reset_mechanism="none")` after."""
    import snntorch as snn

    hidden = snn.Leaky(beta=DECAY, threshold=1.0, reset_mechanism="zero")
    output = snn.Leaky(beta=DECAY, threshold=1.0, reset_mechanism="none")
    synapse, readout = _layers(model)

    def run(x: Tensor) -> Tensor:
        membrane, potential = hidden.init_leaky(), output.init_leaky()
        spikes, potentials = [], []
        for current in synapse(x):
            fired, membrane = hidden(current, membrane)
            spikes.append(fired)
        for current in readout(torch.stack(spikes)):
            _, potential = output(current, potential)
            potentials.append(potential)
        return torch.stack(potentials)

    return run


def norse_net(model: RankSNN) -> Net:
    """norse: functional `lif_box_feed_forward_step` and `li_box_feed_forward_step`, looped over T.

    norse multiplies the input by ``dt * tau_mem_inv = 1 - decay``; the weights are divided by it.
    """
    from norse.torch.functional import leaky_integrator_box as li
    from norse.torch.functional import lif_box as lif

    rate = torch.tensor((1 - DECAY) / 0.001)  # dt is 0.001 by default
    neuron = lif.LIFBoxParameters(tau_mem_inv=rate, v_th=torch.tensor(1.0))
    integrator = li.LIBoxParameters(tau_mem_inv=rate)
    synapse, readout = _layers(model, 1 / (1 - DECAY))

    def run(x: Tensor) -> Tensor:
        currents = synapse(x)
        state = lif.LIFBoxFeedForwardState(v=torch.zeros_like(currents[0]))
        spikes, potentials = [], []
        for current in currents:
            fired, state = lif.lif_box_feed_forward_step(current, state, neuron)
            spikes.append(fired)
        currents = readout(torch.stack(spikes))
        after = li.LIBoxState(torch.zeros_like(currents[0]))
        for current in currents:
            potential, after = li.li_box_feed_forward_step(current, after, integrator)
            potentials.append(potential)
        return torch.stack(potentials)

    return run


def spikingjelly_net(model: RankSNN) -> Net:
    """spikingjelly: multi-step `LIFNode(decay_input=False)` and `NonSpikingLIFNode` (input over tau)."""
    from spikingjelly.activation_based import functional as sj
    from spikingjelly.activation_based import neuron

    tau = 1 / (1 - DECAY)
    synapse, readout = _layers(model)
    _, readout = _layers(model, tau)
    hidden = neuron.LIFNode(tau=tau, decay_input=False, v_threshold=1.0, v_reset=0.0, step_mode="m").eval()
    output = neuron.NonSpikingLIFNode(tau=tau).eval()

    def run(x: Tensor) -> Tensor:
        sj.reset_net(hidden)
        sj.reset_net(output)
        return torch.stack(output(readout(hidden(synapse(x)))))

    return run


PEERS: dict[str, Callable[[RankSNN], Net]] = {
    "snnTorch, all T": snntorch_net,
    "norse, all T": norse_net,
    "spikingjelly, all T": spikingjelly_net,
}


def _layers(model: Any, gain: float = 1.0) -> tuple[Net, Net]:
    """Return the two linear layers with weights in their usual layout, scaled."""

    def of(layer: Any) -> Net:
        weight, bias = (gain * layer.weight).detach().contiguous(), (gain * layer.bias).detach()
        return lambda x: functional.linear(x, weight, bias)

    return of(model["synapses1"]), of(model["readout"])
