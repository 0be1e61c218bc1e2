"""The layers a ``Stack`` is made of, one a file: state, step and cost."""

from rc_vs_snn.models.layers.conv import Conv
from rc_vs_snn.models.layers.dropout import Dropout
from rc_vs_snn.models.layers.gru import GRU
from rc_vs_snn.models.layers.leaky import Leaky
from rc_vs_snn.models.layers.linear import Linear
from rc_vs_snn.models.layers.lstm import LSTM
from rc_vs_snn.models.layers.readout import Readout
from rc_vs_snn.models.layers.recurrent_leaky import RecurrentLeaky, RecurrentSynaptic
from rc_vs_snn.models.layers.synaptic import Synaptic

__all__ = [
    "GRU", "LSTM", "Conv", "Dropout", "Leaky", "Linear", "Readout", "RecurrentLeaky", "RecurrentSynaptic",
    "Synaptic",
]  # fmt: skip
