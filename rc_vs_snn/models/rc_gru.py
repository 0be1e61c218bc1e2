"""RC-GRU: another recurrent cell is one small file (``layers/gru.py``) and this one."""

from rc_vs_snn.models.layers import GRU
from rc_vs_snn.models.recurrent import recurrent
from rc_vs_snn.models.stack import Compiled, Stack
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
    return recurrent(GRU, layout, n_classes, hidden, layers, dropout, Compiled())
