"""Both model families behind one stateless step interface; importing this registers them."""

from rc_vs_snn.models.conv_rank_snn import ConvRankSNN
from rc_vs_snn.models.conv_rc_lstm import ConvRCLSTM
from rc_vs_snn.models.interface import Model, State, evidence_of, synaptic_operations
from rc_vs_snn.models.rank_snn import RankSNN
from rc_vs_snn.models.rc_gru import rc_gru
from rc_vs_snn.models.rc_lstm import rc_lstm
from rc_vs_snn.models.recurrent import RecurrentClassifier

__all__ = [
    "ConvRCLSTM",
    "ConvRankSNN",
    "Model",
    "RankSNN",
    "RecurrentClassifier",
    "State",
    "evidence_of",
    "rc_gru",
    "rc_lstm",
    "synaptic_operations",
]
