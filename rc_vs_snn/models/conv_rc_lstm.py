"""Convolutional RC-LSTM: the shared front-end, then the paper's recurrent network."""

import math

from torch import nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.layers import LSTM, Dropout, Linear, Readout
from rc_vs_snn.models.layers.conv import Depth, Images, analogue_layers, stages
from rc_vs_snn.models.layers.norm import Norm
from rc_vs_snn.models.stack import Stack, check_sizes
from rc_vs_snn.registry import models


@models.register("conv-rc-lstm")
class ConvRCLSTM(Stack):
    """Convolutions, then an LSTM with a linear readout; softmax probabilities are the evidence.

    The front-end is stateless: it sees one time step's input. What must be remembered over steps is
    the LSTM's (or the code's: a step code keeps what has spiked in view).

    Args:
        layout: shape of the input channels, ``(length,)``, ``(H, W)`` or ``(channel, H, W)``.
        n_classes: number of classes K.
        maps: feature maps of the first two convolutions (the others have twice as many).
        hidden: LSTM units.
        dropout: probability of dropping an LSTM output unit in training, held over time steps.
        norm: normalisation after each convolution: "group", "batch" (statistics of step 0) or "none".
        readout_decay: share of the last step's logits that is added to this step's, in [0, 1]; above 0
            evidence accumulates over steps, as in a membrane that integrates (0 in the paper).
        depth: number of convolutions, 4 or 6; see ``layers.conv``.

    Raises:
        InputError: a size out of range, or an input too small or of other axes.
    """

    def __init__(
        self,
        layout: tuple[int, ...],
        n_classes: int,
        maps: int = 16,
        hidden: int = 128,
        dropout: float = 0.0,
        norm: Norm = "group",
        readout_decay: float = 0.0,
        depth: Depth = 4,
    ) -> None:
        plan = stages(layout, maps, depth)
        check_sizes(hidden, 1)
        if not 0 <= readout_decay <= 1:
            raise InputError(f"readout_decay must lie in [0, 1], got {readout_decay:g}")
        convolutional, order = analogue_layers(plan, norm)
        recurrent: dict[str, nn.Module] = {
            "flatten": nn.Flatten(),
            "cell1": LSTM(math.prod(plan[-1].outputs), hidden),
            "dropout1": Dropout(hidden, dropout),
            "readout": Linear(hidden, n_classes),
        }
        if readout_decay:
            recurrent["output"] = Readout(n_classes, readout_decay, learn_decay=False)
        super().__init__(
            {"images": Images(plan[0].inputs), **convolutional, **recurrent},
            layout=layout,
            evidence="probability",
            order=["images", *order, *recurrent],
        )
