"""Gated cells one above the other, and a linear readout."""

import math
from collections.abc import Callable

from torch import nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.models.layers import Dropout, Linear
from rc_vs_snn.models.stack import Compiled, Stack, check_sizes


def recurrent(
    cell: Callable[[int, int], nn.Module], layout: tuple[int, ...], n_classes: int, hidden: int, layers: int,
    dropout: float, compiled: Compiled, evidence: EvidenceKind = "probability",
) -> Stack:  # fmt: skip
    """Return the network.

    Args:
        cell: builds a layer from its numbers of inputs and units.
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: units per layer.
        layers: number of layers.
        dropout: probability of dropping a layer's output unit in training, held over time steps.
        compiled: what is compiled of it.
        evidence: what the rule reads of the readout.
    """
    check_sizes(hidden, layers)
    parts: dict[str, nn.Module] = {}
    for number in range(1, layers + 1):
        parts[f"cell{number}"] = cell(math.prod(layout) if number == 1 else hidden, hidden)
        parts[f"dropout{number}"] = Dropout(hidden, dropout)
    parts["readout"] = Linear(hidden, n_classes)
    return Stack(parts, layout=layout, evidence=evidence, compiled=compiled)
