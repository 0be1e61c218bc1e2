"""The path under which ``Decider`` was taught first; it lives in ``rc_vs_snn.decision``."""

from rc_vs_snn.decision.stream import Decided, Decider, events_by_step

__all__ = ["Decided", "Decider", "events_by_step"]
