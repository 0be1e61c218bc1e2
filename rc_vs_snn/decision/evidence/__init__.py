"""Evidence: what a rule compares with its threshold. Importing this package registers the built-in ones."""

from rc_vs_snn.decision.evidence.naming import evidence_of_trace, named, one_step, read_by
from rc_vs_snn.decision.evidence.over_time import Consecutive, Cumulative, Elapsed
from rc_vs_snn.decision.evidence.plain import Entropy, Exclusion, Gap, Margin, Membrane, Probability, Sigmoid
from rc_vs_snn.decision.evidence.protocol import Evidence, State, kept

__all__ = [
    "Consecutive",
    "Cumulative",
    "Elapsed",
    "Entropy",
    "Evidence",
    "Exclusion",
    "Gap",
    "Margin",
    "Membrane",
    "Probability",
    "Sigmoid",
    "State",
    "evidence_of_trace",
    "kept",
    "named",
    "one_step",
    "read_by",
]
