from .batch import Outcome, iterate, run_full, run_to_decision
from .calibration import calibrated
from .evidence import evidence_of, evidence_trace
from .metrics import summarise
from .rules import FallingThreshold, FirstSpike, Rule, decide
from .stream import Decided, Decider, events_by_step

__all__ = [
    "Decided",
    "Decider",
    "FallingThreshold",
    "FirstSpike",
    "Outcome",
    "Rule",
    "calibrated",
    "decide",
    "events_by_step",
    "evidence_of",
    "evidence_trace",
    "iterate",
    "run_full",
    "run_to_decision",
    "summarise",
]
