from dataclasses import dataclass

from rc_vs_snn.contracts import Decision, Trace


@dataclass(frozen=True)
class Hesitation:
    """How many steps passed, on average, from when the decided class first led to its decision."""

    def __call__(self, trace: Trace, decision: Decision) -> float:
        leads = trace.evidence.argmax(2) == decision.label[:, None]  # (N, T)
        return float((decision.step - leads.argmax(1)).mean())
