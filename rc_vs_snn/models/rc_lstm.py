"""RC-LSTM: the paper's recurrent network.

    h, c = LSTM(x, h, c)          layers/lstm.py has the equations
    evidence = softmax(V h + d)

It decides at the first step at which a class's evidence reaches the threshold (``decision.rules``), and
training goes back from that step only (``training.objectives``). We depart from the authors' sample code in
training on the logits with softmax cross-entropy where it puts cross-entropy on sigmoid outputs; the preset
``paper-notebook`` does as it does.

Source: Jeffares et al., ICLR 2022, arXiv 2110.02865.
"""

from typing import Literal

from rc_vs_snn.models.compiled import LSTM_NET, LSTM_NET_OF_MANY
from rc_vs_snn.models.layers import LSTM
from rc_vs_snn.models.recurrent import recurrent
from rc_vs_snn.models.stack import Compiled, Stack
from rc_vs_snn.registry import models


@models.register("rc-lstm")
def rc_lstm(
    layout: tuple[int, ...],
    n_classes: int,
    hidden: int = 256,
    layers: int = 1,
    dropout: float = 0.0,
    evidence: Literal["softmax", "sigmoid"] = "softmax",
) -> Stack:
    """LSTM with a linear readout; class probabilities are the evidence (the paper's network).

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        hidden: LSTM units per layer.
        layers: number of LSTM layers.
        dropout: probability of dropping a layer's output unit in training, held over time steps.
        evidence: "softmax", or "sigmoid" of each class alone (the authors' sample code; not compiled).
    """
    if evidence == "sigmoid":
        return recurrent(LSTM, layout, n_classes, hidden, layers, dropout, Compiled(), "sigmoid")
    return recurrent(
        LSTM, layout, n_classes, hidden, layers, dropout, LSTM_NET if layers == 1 else LSTM_NET_OF_MANY
    )
