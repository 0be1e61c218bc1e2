"""Encoders turn raw samples into input over time; importing this package registers the built-in ones."""

from rc_vs_snn.encoders.delta import Delta
from rc_vs_snn.encoders.direct import Direct
from rc_vs_snn.encoders.events import Events
from rc_vs_snn.encoders.hybrid import Hybrid
from rc_vs_snn.encoders.latency import Latency
from rc_vs_snn.encoders.log_latency import LogLatency
from rc_vs_snn.encoders.log_mel import LogMel
from rc_vs_snn.encoders.mel_delta import MelDelta
from rc_vs_snn.encoders.mel_latency import MelLatency
from rc_vs_snn.encoders.phase import Phase
from rc_vs_snn.encoders.population import Population
from rc_vs_snn.encoders.protocol import Encoder
from rc_vs_snn.encoders.rank_order import RankOrder
from rc_vs_snn.encoders.rate import Rate
from rc_vs_snn.encoders.raw import Raw
from rc_vs_snn.encoders.step import StepCode

__all__ = [
    "Delta",
    "Direct",
    "Encoder",
    "Events",
    "Hybrid",
    "Latency",
    "LogLatency",
    "LogMel",
    "MelDelta",
    "MelLatency",
    "Phase",
    "Population",
    "RankOrder",
    "Rate",
    "Raw",
    "StepCode",
]
