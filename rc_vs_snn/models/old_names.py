"""Weights stored before models were stacks of layers: their names, and what each is called today."""

import re
from collections.abc import Callable, Collection, Mapping

from torch import Tensor


def _counted(name: str) -> Callable[[re.Match[str]], str]:
    """Return a replacement that counts from 1 what was counted from 0."""
    return lambda found: f"layers.{name}{int(found[1]) + 1}."


_NAMES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"(?:recurrent\.)?cells\.(\d+)\.", _counted("cell")),
    (r"(?:recurrent\.)?readout\.", "layers.readout."),
    (r"(?:block|analogue)\.convolutions\.(\d+)\.", _counted("conv")),
    (r"(?:block|analogue)\.norms\.(\d+)\.", _counted("norm")),
    (r"convolutions\.(\d+)\.", _counted("spiking_conv")),
    (r"norms\.(\d+)\.", _counted("spiking_norm")),
    (r"neurons\.(\d+)\.", _counted("neurons")),
    (r"synapses\.(\d+)\.", _counted("synapses")),
    (r"synapse\.", "layers.hidden_synapses."),
    (r"hidden_norm\.", "layers.hidden_norm."),
    (r"hidden\.", "layers.hidden_neurons."),
    (r"output\.neuron\.beta", "layers.output.decay"),
]


def renamed(weights: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """Return stored weights under today's names; those of today stay as they are.

    What an output neuron once held beside its decay (a threshold it never used) is left out.

    Args:
        weights: as stored, by name.
        wanted: the names that the model has.
    """
    return {
        name: value for old, value in weights.items() if (name := _today(old)) in wanted or not _gone(old)
    }


def _today(name: str) -> str:
    for pattern, replacement in _NAMES:
        found = re.match(pattern, name)
        if found:
            new = replacement if isinstance(replacement, str) else replacement(found)
            return new + name[found.end() :]
    return name


def _gone(name: str) -> bool:
    return name.startswith("output.neuron.")
