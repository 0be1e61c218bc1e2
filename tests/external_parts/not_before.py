import math
from dataclasses import dataclass


@dataclass(frozen=True)
class NotBefore:
    """Decide like first-spike, but at no step before ``wait``.

    Attributes:
        threshold: what the evidence must reach.
        wait: the first step at which anything may be decided, 0-based.
    """

    threshold: float = 0.9
    wait: int = 2

    def threshold_at(self, step: int, n_steps: int) -> float:
        return math.inf if step < self.wait else self.threshold
