"""Calibration: setting a rule's threshold on validation data so that decisions come at a wanted time.

Two models compare best where they decide equally soon. Their training thresholds seldom give that, and a
threshold picked from the test curve is a choice made on the test split. No torch.
"""

from rc_vs_snn.contracts import EvidenceKind, Trace
from rc_vs_snn.decision.rules import Rule, Shifted, decide
from rc_vs_snn.errors import InputError

# A probability's odds (or a membrane's threshold) times or through exp(20): from everyone to no one.
_WIDEST = 20.0
_HALVINGS = 40


def calibrated(trace: Trace, rule: Rule, kind: EvidenceKind, mean_step: float) -> Shifted:
    """Return the rule shifted as far up as keeps the mean decision step within a budget.

    Higher thresholds never decide sooner, so the best shift is found by halving.

    Args:
        trace: of the validation split.
        rule: the rule whose thresholds are shifted, all by one amount.
        kind: what the evidence is.
        mean_step: largest mean decision step, 0-based.

    Raises:
        InputError: a budget outside [0, mean last step), or one that the lowest threshold exceeds.
    """
    last = float((trace.lengths - 1).mean())
    if not 0 <= mean_step < last:
        raise InputError(f"a mean decision step must lie in [0, {last:g}), got {mean_step:g}")

    def taken(amount: float) -> float:
        return float(decide(trace.evidence, Shifted(rule, kind, amount), trace.lengths).step.mean())

    low, high = -_WIDEST, _WIDEST
    if taken(low) > mean_step:
        raise InputError(
            f"even at the lowest threshold the mean decision step is {taken(low):.3f}, above {mean_step:g}; "
            "ask for a later one"
        )
    if taken(high) <= mean_step:
        return Shifted(rule, kind, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if taken(middle) <= mean_step else (low, middle)
    return Shifted(rule, kind, low)
