"""Every exit on hand-worked traces: ties, silence, samples that are never right, and samples that end."""

import math

import numpy as np
import pytest
from crepes import ConformalClassifier
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rc_vs_snn import registry
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.calibration import top_k_gap, within_loss
from rc_vs_snn.decision.conformal import conformal
from rc_vs_snn.decision.evidence import Cumulative, Exclusion, Gap
from rc_vs_snn.decision.exits import judged, judged_by
from rc_vs_snn.decision.rules import (
    FallingThreshold,
    FirstSpike,
    FixedStep,
    PerStep,
    Reading,
    Scaled,
    Shifted,
    check_rule,
    decide,
    thresholds_of,
)
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.probabilities import softmax_of
from rc_vs_snn.testing import check_rule as keeps_promises


def traced(readouts, labels, lengths=None):
    readouts = np.asarray(readouts, np.float32)
    n, steps, _ = readouts.shape
    costs = np.zeros((n, steps))
    more = {} if lengths is None else {"lengths": np.asarray(lengths)}
    return Trace(
        softmax_of(readouts), np.asarray(labels), np.arange(n), costs, costs, costs, readouts=readouts, **more
    )


# Four samples of four steps, two classes, as membranes. 0: rises. 1: a tie at step 1. 2: silent. 3: never
# right (label 1, always 0).
READOUTS = [
    [[0, 0], [1, 0], [2, 0], [3, 0]],
    [[0, 0], [2, 2], [0, 3], [0, 3]],
    [[-1, -2], [-1, -2], [-1, -2], [-2, -1]],
    [[1, 0], [2, 0], [3, 0], [4, 0]],
]
HAND = traced(READOUTS, [0, 1, 1, 1])


def outcome(rule, trace=HAND):
    found = judged(trace, rule)
    return found.label.tolist(), found.step.tolist(), found.decided.tolist(), found.tied.tolist()


def membrane(threshold):
    return Reading(FirstSpike(threshold), registry.evidences.build("membrane", {}))


def test_first_spike_of_membranes():
    assert outcome(membrane(2.0)) == (
        [0, 0, 1, 0], [2, 1, 3, 1], [True, True, False, True], [False, True, False, False],
    )  # fmt: skip


def test_per_step_thresholds_and_steps_at_which_nothing_decides():
    rule = Reading(PerStep(("never", "never", 2.5, 1.0)), registry.evidences.build("membrane", {}))
    assert outcome(rule) == (
        [0, 1, 1, 0], [3, 2, 3, 2], [True, True, False, True], [False] * 4,
    )  # fmt: skip


def test_a_fixed_step_decides_all_there_whatever_they_say():
    assert outcome(FixedStep(1)) == ([0, 0, 0, 0], [1] * 4, [True] * 4, [False] * 4)
    assert outcome(FixedStep(3)) == ([0, 1, 1, 0], [3] * 4, [True] * 4, [False] * 4)
    ended = traced(READOUTS, [0, 1, 1, 1], lengths=[2, 4, 3, 4])
    assert outcome(FixedStep(2), ended) == (
        [0, 1, 0, 0],
        [1, 2, 2, 2],
        [False, True, True, True],
        [False] * 4,
    )


def test_gap_exits_ignore_ties():
    assert outcome(Reading(FirstSpike(2.0), Gap())) == (
        [0, 1, 1, 0], [2, 2, 3, 1], [True, True, False, True], [False] * 4,
    )  # fmt: skip


def test_summed_readouts_exit_sooner():
    rule = Reading(FirstSpike(3.0), Cumulative("sum", "gap"))
    assert outcome(rule) == ([0, 1, 0, 0], [2, 2, 2, 1], [True] * 4, [False] * 4)


def test_conformal_sets_by_hand():
    # p of the best 0.9 and 0.6: a set of classes above 0.2 holds one class, then two
    trace = traced(np.log([[[0.6, 0.4], [0.9, 0.1]]]), [0])
    rule = Reading(PerStep((-0.2, -0.2)), Exclusion())
    assert outcome(rule, trace) == ([0], [1], [True], [False])


def test_several_exits_of_one_trace_at_once():
    rules = {"fixed": FixedStep(1), "first spike": FirstSpike(0.7)}
    found = judged_by(HAND, rules)
    for name, rule in rules.items():
        seen, decision = found[name]
        assert decision.step.tolist() == judged(HAND, rule).step.tolist()
        assert np.array_equal(decide(seen.evidence, rule).label, decision.label)


def test_a_trace_of_evidence_alone_says_what_it_cannot_do():
    old = Trace(HAND.evidence, HAND.labels, HAND.ids, HAND.acs, HAND.macs, HAND.input_events)
    assert judged(old, FirstSpike(0.9)).step.shape == (4,)
    with pytest.raises(InputError, match="holds no readouts to make Gap"):
        judged(old, Reading(FirstSpike(1.0), Gap()))


@pytest.mark.parametrize("name", registry.rules.names())
def test_every_rule_keeps_its_promises(name):
    options = {"per-step": {"thresholds": [0.9, "never", 0.5, 0.5, 0.5, 0.5]}}.get(name, {})
    keeps_promises(registry.rules.build(name, options))


@pytest.mark.parametrize(
    ("rule", "evidence", "told"),
    [
        (PerStep((0.5, 1.5)), "probability", "cannot be met"),
        (PerStep(("never", "never")), "probability", "cannot be met"),
        (PerStep((0.5,)), "probability", "1 thresholds, the code 2 steps"),
        (Reading(FirstSpike(0.5), Exclusion()), "membrane", r"must lie in \(-1, 0\]"),
        (FirstSpike(math.inf), "membrane", "no firing threshold"),
        (FirstSpike(-math.inf), "membrane", "no firing threshold"),
    ],
)
def test_thresholds_that_cannot_be_met_are_refused(rule, evidence, told):
    with pytest.raises(InputError, match=told):
        check_rule(rule, evidence, 2)


def test_unusable_rules_are_refused():
    with pytest.raises(InputError, match="got 'often'"):
        PerStep((0.5, "often"))
    with pytest.raises(InputError, match="must name one for each step"):
        PerStep(())
    with pytest.raises(InputError, match="0-based"):
        FixedStep(-1)


@given(st.floats(0.01, 0.99), st.floats(-5, 5))
def test_shifting_stays_within_the_limits(share, amount):
    for evidence, low, high in (("probability", 0, 1), ("exclusion", -1, 0), ("membrane", 0, math.inf)):
        start = low + share
        shifted = Shifted(FirstSpike(start), evidence, amount).threshold_at(0, 1)
        assert low < shifted <= high
        assert (shifted > start) == (amount > 0) or shifted == pytest.approx(start)
        back = Shifted(FirstSpike(shifted), evidence, -amount).threshold_at(0, 1)
        assert back == pytest.approx(start, rel=1e-6, abs=1e-9)


def test_wrapped_rules_read_what_the_rule_reads_and_keep_never():
    rule = Reading(PerStep(("never", 2.0)), Gap())
    for wrapped in (Scaled(rule, 0.0), Shifted(rule, "probability", 1.0)):
        assert wrapped.reads == Gap()
        assert thresholds_of(wrapped, 2)[0] == math.inf
    assert Scaled(rule, 0.5).threshold_at(1, 2) == 1.0


def random_trace(seed, n=200, steps=5, classes=3, signal=1.0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, n)
    noise = generator.normal(size=(n, steps, classes))
    readouts = noise.cumsum(1) + signal * np.eye(classes)[labels][:, None] * np.arange(1, steps + 1)[:, None]
    return traced(readouts, labels)


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.01, 0.1]))
def test_within_loss_is_the_soonest_that_keeps_the_accuracy(seed, loss):
    trace = random_trace(seed)
    at_end = (trace.evidence[:, -1].argmax(1) == trace.labels).mean()
    found = within_loss(trace, FirstSpike(0.5), "probability", loss)
    decision = decide(trace.evidence, found)
    assert (decision.label == trace.labels).mean() >= at_end - loss - 1e-12
    sooner = [
        decide(trace.evidence, Shifted(FirstSpike(0.5), "probability", amount))
        for amount in np.linspace(-20, 20, 801)
    ]
    keeping = [
        each.step.mean() for each in sooner if (each.label == trace.labels).mean() >= at_end - loss - 1e-12
    ]
    assert decision.step.mean() == min(keeping)


def test_within_loss_is_refused_where_no_shift_keeps_it():
    trace = traced([[[5.0, 0.0], [0.0, 5.0]]] * 3, [1, 1, 1])
    with pytest.raises(InputError, match="no shift"):
        within_loss(
            trace, Reading(FirstSpike(0.5), registry.evidences.build("consecutive", {"n": 1})), "", 0.0
        )
    with pytest.raises(InputError, match="share in"):
        within_loss(trace, FirstSpike(0.5), "probability", 1.0)


def test_top_k_gap_by_hand():
    # step 0: gaps 1 (turns wrong later), 3, 4 (right for good), 2 (never right); step 1: gaps 5, 6, 7, 8
    readouts = [
        [[1, 0], [0, 5]],
        [[3, 0], [6, 0]],
        [[4, 0], [7, 0]],
        [[0, 2], [0, 8]],
    ]
    trace = traced(readouts, [0, 0, 0, 0])
    rule = top_k_gap(trace, Gap(), epsilon=0.0, levels=8)
    first, second = thresholds_of(rule, 2)
    # levels 0, 0.5, .. 3.5: the first above which only the two are left is 2
    assert first == np.nextafter(np.float32(2), np.float32(3))
    assert second == math.inf  # whatever is ahead by 7 or less, the one that is wrong is ahead by 8
    assert outcome(rule, trace) == ([1, 0, 0, 1], [1, 0, 0, 1], [False, True, True, False], [False] * 4)
    half = thresholds_of(top_k_gap(trace, Gap(), epsilon=0.5, levels=8), 2)
    assert half[0] == np.nextafter(np.float32(0), np.float32(1))
    assert half[1] == np.nextafter(np.float32(0), np.float32(1))


def test_top_k_gap_that_nothing_satisfies_is_refused():
    trace = traced([[[1.0, 0.0]]] * 4, [1, 1, 1, 1])
    with pytest.raises(InputError, match="no step has a threshold"):
        top_k_gap(trace, Gap(), epsilon=0.0)


def sets_at_stop(trace, rule):
    """Return which classes are possible where each sample stops, ``(N, K)``, from the rule's thresholds."""
    step = judged(trace, rule).step
    bounds = thresholds_of(rule, trace.n_steps)[step].astype(np.float32)
    probabilities = softmax_of(trace.readouts)[np.arange(len(trace)), step]
    return ~(-probabilities >= bounds[:, None])


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_one_step_of_conformal_sets_equals_crepes(alpha):
    known, new = (random_trace(seed, n=150, steps=1, signal=1.5) for seed in (1, 2))
    rule = conformal(known, alpha)
    model = ConformalClassifier()
    p_known, p_new = (softmax_of(each.readouts[:, 0]).astype(np.float64) for each in (known, new))
    model.fit(1 - p_known[np.arange(150), known.labels])
    expected = model.predict_set(1 - p_new, confidence=1 - alpha, smoothing=False)
    np.testing.assert_array_equal(sets_at_stop(new, rule), expected.astype(bool))


@pytest.mark.parametrize("correction", ["bonferroni", "simultaneous"])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_coverage_over_100_calibration_splits_is_never_significantly_too_low(alpha, correction):
    whole = random_trace(0, n=2400, steps=5, signal=0.8)
    generator = np.random.default_rng(1)
    covered = []
    for _ in range(100):
        order = generator.permutation(len(whole))
        known, new = (part(whole, order[rows]) for rows in (slice(0, 1400), slice(1400, None)))
        held = sets_at_stop(new, conformal(known, alpha, correction))[np.arange(1000), new.labels]
        covered.append(int(held.sum()))
    # How many of 1,000 new samples are covered, given that one quantile of n known scores is taken, is
    # beta-binomial; each split may fall below it with a hundredth of 5 %.
    n = 1400 if correction == "bonferroni" else 700
    rank = math.ceil((1 - alpha) * (n + 1))
    assert stats.betabinom(1000, rank, n + 1 - rank).cdf(min(covered)) > 0.05 / 100
    assert np.mean(covered) / 1000 >= 1 - alpha - 0.003


def test_the_simultaneous_bound_stops_sooner_and_both_promise_the_same():
    known, new = random_trace(3, n=2000, signal=0.8), random_trace(4, n=2000, signal=0.8)
    steps = {
        name: judged(new, conformal(known, 0.1, name)).step.mean() for name in ("bonferroni", "simultaneous")
    }
    assert steps["simultaneous"] < steps["bonferroni"]


def part(trace, rows):
    return traced(trace.readouts[rows], trace.labels[rows])


def test_unusable_conformal_requests_are_refused():
    trace = random_trace(0, n=20)
    with pytest.raises(InputError, match=r"alpha must lie in"):
        conformal(trace, 0.0)
    with pytest.raises(InputError, match="'bonferroni' or 'simultaneous'"):
        conformal(trace, 0.1, "simes")
    with pytest.raises(InputError, match="give more samples"):
        conformal(trace, 0.01)  # 20 samples cannot say anything of 1 in 500


def test_falling_thresholds_still_fall_with_a_reading():
    rule = Reading(FallingThreshold(1.0, 0.5), Gap())
    assert [rule.threshold_at(step, 3) for step in range(3)] == [1.0, 0.75, 0.5]
