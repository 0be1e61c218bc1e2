"""The rules: a threshold over time each, and where it says so the evidence that it is meant for. No torch."""

import math
from dataclasses import dataclass
from numbers import Real
from typing import Literal, Protocol

from rc_vs_snn.decision.evidence import Elapsed, Evidence, read_by
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import rules


class Rule(Protocol):
    """A threshold over time.

    A rule may also have ``reads``, the evidence that its thresholds are meant for; else they are compared
    with the model's own.
    """

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``; infinite: nothing decides there."""
        ...


@rules.register("first-spike")
@dataclass(frozen=True)
class FirstSpike:
    """Decide at the first step at which a class's evidence reaches a constant threshold.

    Attributes:
        threshold: such as a probability in (0, 1], or a membrane potential above 0.
    """

    threshold: float = 0.95

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``."""
        return self.threshold


@rules.register("falling-threshold")
@dataclass(frozen=True)
class FallingThreshold:
    """Decide like first-spike, with a threshold falling linearly from first to last step.

    Attributes:
        threshold: the threshold at step 0.
        final: the threshold at the last step.
    """

    threshold: float = 0.95
    final: float = 0.5

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``."""
        if n_steps == 1:
            return self.threshold
        return self.threshold + (self.final - self.threshold) * step / (n_steps - 1)


@rules.register("per-step")
@dataclass(frozen=True)
class PerStep:
    """Decide like first-spike, with a threshold of its own at every step: what a calibration returns.

    Attributes:
        thresholds: one for each of the T steps: a number, or "never" where nothing may decide.

    Raises:
        InputError: none at all, or one that is neither.
    """

    thresholds: tuple[float | Literal["never"], ...]

    def __post_init__(self) -> None:
        faulty = [
            each for each in self.thresholds
            if each != "never" and (isinstance(each, bool | str) or not isinstance(each, Real))
        ]  # fmt: skip
        if faulty or not len(self.thresholds):
            raise InputError(
                "rule 'per-step': thresholds must be one number (or 'never') for each step, got "
                f"{faulty[0]!r}"
                if faulty
                else "rule 'per-step': thresholds must name one for each step"
            )
        object.__setattr__(self, "thresholds", tuple(self.thresholds))

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``.

        Raises:
            InputError: there are not ``n_steps`` thresholds.
        """
        if len(self.thresholds) != n_steps:
            raise InputError(
                f"rule 'per-step' has {len(self.thresholds)} thresholds, the code {n_steps} steps; "
                "calibrate it on this code"
            )
        threshold = self.thresholds[step]
        return math.inf if threshold == "never" else float(threshold)


@rules.register("fixed-step")
@dataclass(frozen=True)
class FixedStep:
    """Decide every sample at one step, whatever the evidence: early inference without an exit.

    A sample that ends sooner is forced at its own last step.

    Attributes:
        step: 0-based.

    Raises:
        InputError: a step below 0.
    """

    step: int = 0
    reads = Elapsed()

    def __post_init__(self) -> None:
        if self.step < 0:
            raise InputError(f"rule 'fixed-step': step is 0-based and at least 0, got {self.step}")

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``: a number of steps."""
        return self.step + 1


@dataclass(frozen=True)
class Reading:
    """Another rule, whose thresholds are compared with an evidence of its own.

    Attributes:
        rule: the rule.
        reads: the evidence.
    """

    rule: Rule
    reads: Evidence

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``."""
        return self.rule.threshold_at(step, n_steps)


@dataclass(frozen=True)
class Scaled:
    """Another rule with its threshold multiplied: how training eases into a high threshold.

    Attributes:
        rule: the rule.
        factor: what its threshold is multiplied by.
    """

    rule: Rule
    factor: float

    @property
    def reads(self) -> Evidence | None:
        """What the rule reads."""
        return getattr(self.rule, "reads", None)

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``."""
        threshold = self.rule.threshold_at(step, n_steps)
        return threshold if threshold == math.inf else self.factor * threshold


@dataclass(frozen=True)
class Shifted:
    """Another rule with its thresholds raised or lowered, all by one amount.

    A threshold without an upper limit, such as a membrane's, is multiplied by exp(amount). Of one between
    two limits, such as a probability, the odds are, so that it stays between them.

    Attributes:
        rule: the rule.
        evidence: what its thresholds are compared with, where the rule does not say.
        amount: above 0 for later decisions.
    """

    rule: Rule
    evidence: str | Evidence
    amount: float

    @property
    def reads(self) -> Evidence | None:
        """What the rule reads."""
        return getattr(self.rule, "reads", None)

    def threshold_at(self, step: int, n_steps: int) -> float:
        """Return the threshold in force at ``step`` of ``n_steps``."""
        threshold = self.rule.threshold_at(step, n_steps)
        low, high = read_by(self.rule, self.evidence).limits
        factor = math.exp(self.amount)
        if threshold == math.inf:
            return threshold
        if high == math.inf:
            return low + (threshold - low) * factor
        share = (threshold - low) / (high - low)
        return low + (high - low) * (share * factor / (1 - share + share * factor))
