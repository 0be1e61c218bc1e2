"""From readouts to decisions: evidence, rules, early exit, streaming, calibration, metrics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "batch": ["Outcome", "iterate", "run_full", "run_to_decision"],
        "calibration": ["calibrated"],
        "evidence": ["evidence_of", "evidence_trace"],
        "metrics": ["summarise"],
        "rules": ["FallingThreshold", "FirstSpike", "Rule", "decide"],
        "stream": ["Decided", "Decider", "events_by_step"],
    },
)
