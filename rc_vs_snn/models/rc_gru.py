"""RC-GRU: another recurrent cell is one small file (``layers/gru.py``) and this one."""

import math

from torch import nn

from rc_vs_snn.models.layers import GRU, Dropout, Linear
from rc_vs_snn.models.stack import Stack, check_sizes
from rc_vs_snn.registry import models


@models.register("rc-gru")
def rc_gru(
    layout: tuple[int, ...], n_classes: int, hidden: int = 256, layers: int = 1, dropout: float = 0.0
) -> Stack:
    """GRU with a linear readout; softmax probabilities are the evidence.

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: GRU units per layer.
        layers: number of GRU layers.
        dropout: probability of dropping a layer's output unit in training, held over time steps.
    """
    check_sizes(hidden, layers)
    parts: dict[str, nn.Module] = {}
    for number in range(1, layers + 1):
        parts[f"cell{number}"] = GRU(math.prod(layout) if number == 1 else hidden, hidden)
        parts[f"dropout{number}"] = Dropout(hidden, dropout)
    parts["readout"] = Linear(hidden, n_classes)
    return Stack(parts, layout=layout, evidence="probability")
