from .batch import Outcome, iterate, run_full, run_to_decision
from .calibration import calibrated
from .evidence import Evidence, evidence_of_trace
from .exits import judged, judged_by
from .metrics import summarise
from .reading import evidence_of, evidence_trace
from .rules import FallingThreshold, FirstSpike, FixedStep, PerStep, Reading, Rule, decide
from .stream import Decided, Decider, events_by_step

__all__ = [
    "Decided",
    "Decider",
    "Evidence",
    "FallingThreshold",
    "FirstSpike",
    "FixedStep",
    "Outcome",
    "PerStep",
    "Reading",
    "Rule",
    "calibrated",
    "decide",
    "events_by_step",
    "evidence_of",
    "evidence_of_trace",
    "evidence_trace",
    "iterate",
    "judged",
    "judged_by",
    "run_full",
    "run_to_decision",
    "summarise",
]
