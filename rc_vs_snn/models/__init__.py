"""Both model families behind one stateless step interface; importing this registers them."""

from rc_vs_snn.models.conv_rank_snn import ConvRankSNN
from rc_vs_snn.models.conv_rc_lstm import ConvRCLSTM
from rc_vs_snn.models.cost import Operations, synaptic_operations
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.rank_snn import RankSNN
from rc_vs_snn.models.rc_gru import rc_gru
from rc_vs_snn.models.rc_lstm import rc_lstm
from rc_vs_snn.models.recurrent_rank_snn import RecurrentRankSNN
from rc_vs_snn.models.stack import Layer, Stack
from rc_vs_snn.models.state import State

__all__ = [
    "ConvRCLSTM", "ConvRankSNN", "Layer", "Model", "Operations", "RankSNN",
    "RecurrentRankSNN", "Stack", "State", "rc_gru", "rc_lstm", "synaptic_operations",
]  # fmt: skip
