from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision import Rule, run_to_decision
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.models import Model


@dataclass(frozen=True)
class Focal:
    """Cross-entropy at the decision, the less of a sample the surer it is right.

    Attributes:
        gamma: how much less; 0 is plain rank coding.

    Source: Lin et al. 2017, arXiv 1708.02002.
    """

    gamma: float = 2.0

    def __call__(self, model: Model, encoded: Encoded, labels: Tensor, rule: Rule) -> tuple[Tensor, Decision]:
        outcome = run_to_decision(model, encoded, rule)
        loss = functional.cross_entropy(outcome.readout, labels, reduction="none")  # (B,)
        return ((1 - (-loss).exp()) ** self.gamma * loss).mean(), outcome.decision()
