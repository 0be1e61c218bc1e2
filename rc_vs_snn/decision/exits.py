"""Judging one stored trace by any rule: the exits of the field, without running the model again. No torch."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.decision.evidence import evidence_of_trace
from rc_vs_snn.decision.rules import Rule, decide
from rc_vs_snn.errors import InputError


def evidence_read_by(rule: Rule, trace: Trace) -> np.ndarray:
    """Return what a rule compares with its thresholds, ``(N, T, K)``.

    Raises:
        InputError: the rule reads an evidence of its own, and the trace holds no readouts to make it of.
    """
    reads = getattr(rule, "reads", None)
    if reads is None:
        return trace.evidence
    if trace.readouts is None:
        raise InputError(
            f"the trace holds no readouts to make {reads!r} of (it is of an older version, or holds evidence "
            "alone); judge the run again from its weights"
        )
    return evidence_of_trace(trace.readouts, reads, trace.lengths)


def judged(trace: Trace, rule: Rule) -> Decision:
    """Return what a rule decides about every sample of a trace; the same as running the model to it.

    Args:
        trace: what a model said.
        rule: any rule, compared with its own evidence or else the trace's.

    Raises:
        InputError: see ``evidence_read_by`` and ``decide``.
    """
    return decide(evidence_read_by(rule, trace), rule, trace.lengths)


def judged_by(trace: Trace, rules: Mapping[str, Rule]) -> dict[str, tuple[Trace, Decision]]:
    """Return decisions under several rules by name, each with the trace as that rule reads it."""
    found = {}
    for name, rule in rules.items():
        seen = replace(trace, evidence=evidence_read_by(rule, trace))
        found[name] = (seen, decide(seen.evidence, rule, seen.lengths))
    return found
