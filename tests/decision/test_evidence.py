"""Evidence by hand, and every evidence alike in traces, early exits and streams."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rc_vs_snn import registry
from rc_vs_snn.decision import Decider, FirstSpike, Reading, judged, run_full, run_to_decision
from rc_vs_snn.decision.evidence import (
    Consecutive,
    Cumulative,
    Elapsed,
    Entropy,
    Exclusion,
    Gap,
    Margin,
    evidence_of_trace,
)
from rc_vs_snn.decision.reading import Reader
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.probabilities import certainty_of, sigmoid_of, softmax_of
from rc_vs_snn.models.rank_snn import RankSNN
from rc_vs_snn.models.rc_gru import rc_gru
from rc_vs_snn.models.rc_lstm import rc_lstm
from rc_vs_snn.testing import check_evidence

OPTIONS = [
    ("margin", {"of": "membrane"}),
    ("exclusion", {"size": 2}),
    ("cumulative", {"of": "entropy", "pool": "mean"}),
    ("cumulative", {"of": "gap"}),
    ("cumulative", {"of": "membrane", "pool": "mean", "summed": "probability"}),
    ("consecutive", {"n": 3, "of": "margin", "least": 0.2}),
    ("consecutive", {"n": 2, "top": 2}),
]
ALL = [(name, {}) for name in registry.evidences.names()] + OPTIONS
# thresholds that some rows reach, by what limits them
USUAL = {(0.0, 1.0): 0.5, (0.0, math.inf): 1.0, (-1.0, 0.0): -0.3}


def built(name, options):
    return registry.evidences.build(name, options)


@pytest.mark.parametrize(("name", "options"), ALL)
def test_every_evidence_keeps_its_promises(name, options):
    check_evidence(built(name, options))


def probabilities(*shares):
    return np.log(np.array(shares, np.float32))


@pytest.mark.parametrize(
    ("evidence", "readout", "expected"),
    [
        (Margin(), probabilities([0.6, 0.3, 0.1], [0.5, 0.5, 1e-9]), [[0.3, -0.3, -0.5], [0, 0, -0.5]]),
        (Gap(), [[3.0, 1.0, 2.5], [-1, -4, -2]], [[0.5, -2, -0.5], [1, -3, -1]]),
        (Exclusion(), probabilities([0.6, 0.3, 0.1]), [[-0.3, -0.6, -0.6]]),
        (Exclusion(2), probabilities([0.5, 0.3, 0.2]), [[-0.2, -0.2, -0.3]]),
        (Exclusion(3), probabilities([0.5, 0.3, 0.2]), [[0, 0, 0]]),
        (Elapsed(), [[0.0, 2.0], [1.0, 1.0]], [[-1, 1], [1, -1]]),
    ],
)  # fmt: skip
def test_one_step_by_hand(evidence, readout, expected):
    found, _ = evidence.step(np.array(readout, np.float32), None)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_certainty_is_the_entropy_of_scipy():
    readouts = np.random.default_rng(0).normal(scale=4, size=(200, 7))
    entropy = stats.entropy(softmax_of(readouts), axis=1)
    np.testing.assert_allclose(certainty_of(readouts)[:, 0], 1 - entropy / np.log(7), atol=1e-12)
    found, _ = Entropy().step(readouts, None)
    assert (found.argmax(1) == readouts.argmax(1)).all()
    assert (np.sort(found, 1)[:, :-1] < 0).all()  # only the best class may spike
    np.testing.assert_allclose(certainty_of(np.zeros((1, 5))), 0, atol=1e-12)
    assert certainty_of(np.array([[900.0, -900.0]])) == 1
    assert certainty_of(np.array([[3.0]])) == 1  # there is nothing to be unsure of


def test_sums_of_readouts_by_hand():
    readouts = np.array([[[1.0, 0.0], [0.0, 3.0], [2.0, 0.0]]], np.float32)  # (1, T, K)
    summed = evidence_of_trace(readouts, Cumulative("sum", "membrane"))
    np.testing.assert_array_equal(summed[0], [[1, 0], [1, 3], [3, 3]])
    mean = evidence_of_trace(readouts, Cumulative("mean", "membrane"))
    np.testing.assert_allclose(mean[0], [[1, 0], [0.5, 1.5], [1, 1]])
    sure = evidence_of_trace(readouts, Cumulative("mean", "membrane", "probability"))
    share = softmax_of(readouts[0]).cumsum(0) / [[1], [2], [3]]
    np.testing.assert_allclose(sure[0], share, atol=1e-6)


def test_an_answer_that_stays_by_hand():
    answers = np.array([0, 0, 1, 1, 1, 0])
    readouts = np.where(np.arange(2) == answers[:, None], 2.0, 0.0)[None].astype(np.float32)
    found = evidence_of_trace(readouts, Consecutive(n=3))
    np.testing.assert_allclose(found[0].max(1), [1 / 3, 2 / 3, 1 / 3, 2 / 3, 1, 1 / 3], atol=1e-6)
    assert (found[0].argmax(1) == answers).all()
    # a step whose evidence is too weak does not count
    weak = readouts.copy()
    weak[0, 3] *= 0.1
    counted = evidence_of_trace(weak, Consecutive(n=3, least=0.8))
    np.testing.assert_allclose(counted[0].max(1), [1 / 3, 2 / 3, 1 / 3, 0, 1 / 3, 1 / 3], atol=1e-6)


def test_the_order_of_the_best_classes_may_have_to_stay():
    readouts = np.array([[[3, 2, 1], [3, 1, 2], [4, 1, 3]]], np.float32)
    assert evidence_of_trace(readouts, Consecutive(n=2))[0].max(1).tolist() == [0.5, 1, 1]
    assert evidence_of_trace(readouts, Consecutive(n=2, top=2))[0].max(1).tolist() == [0.5, 0.5, 1]


def test_behind_a_samples_end_evidence_stands_still():
    readouts = np.random.default_rng(1).normal(size=(3, 6, 4)).astype(np.float32)
    lengths = np.array([2, 6, 4])
    whole = evidence_of_trace(readouts, Cumulative(), lengths)
    for row, length in enumerate(lengths):
        alone = evidence_of_trace(readouts[row : row + 1, :length], Cumulative())
        np.testing.assert_array_equal(whole[row, :length], alone[0])
        np.testing.assert_array_equal(whole[row, length:], np.repeat(alone[0, -1:], 6 - length, 0))


def test_torch_and_numpy_are_one_arithmetic():
    readouts = torch.randn(50, 6) * 4
    for name, exact in (("probability", softmax_of), ("sigmoid", sigmoid_of)):
        assert np.array_equal(Reader(name)(readouts).numpy(), exact(readouts.numpy()))
    np.testing.assert_allclose(softmax_of(readouts.numpy()), readouts.softmax(1), atol=1e-6)
    np.testing.assert_allclose(sigmoid_of(readouts.numpy()), readouts.sigmoid(), atol=1e-6)
    assert Reader("probability")(readouts.bfloat16()).dtype == torch.float32


MODELS = {
    "rc-lstm": lambda: rc_lstm((5,), 4, hidden=6),
    "rc-gru": lambda: rc_gru((5,), 4, hidden=6),
    "rank-snn": lambda: RankSNN((5,), 4, hidden=8, gain=4.0),
}


@pytest.mark.parametrize(("name", "options"), ALL)
@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10**6), family=st.sampled_from(list(MODELS)), mixed=st.booleans())
def test_early_exit_and_stream_equal_the_trace(name, options, seed, family, mixed):
    torch.manual_seed(seed)
    model = MODELS[family]().eval()
    evidence = built(name, options)
    lengths = torch.randint(1, 7, (9,)) if mixed else None
    code = SpikeTimes(torch.randint(0, 7, (9, 5)), 6, (5,), lengths=lengths)
    rule = Reading(FirstSpike(USUAL[evidence.limits]), evidence)
    with torch.no_grad():
        readouts = run_full(model, code).transpose(0, 1).numpy()
        early = run_to_decision(model, code, rule).decision()
    own = None if lengths is None else lengths.numpy()
    full = judged_alone(readouts, rule, own)
    streamed = Decider(model, rule, 6, n_channels=5).decide_all(code)
    # torch's own functions, of which the GRU is made, round by a value's place in the batch
    same = np.testing.assert_array_equal if family != "rc-gru" else close
    for field in ("label", "step", "decided", "tied", "evidence"):
        same(getattr(early, field), getattr(full, field), field)
        same(getattr(streamed, field), getattr(full, field), field)


def close(actual, expected, message):
    np.testing.assert_allclose(actual, expected, atol=1e-4, err_msg=message)


def judged_alone(readouts, rule, lengths):
    from rc_vs_snn.contracts import Trace

    n, steps, _ = readouts.shape
    costs = np.zeros((n, steps))
    labels = np.zeros(n, np.int64)
    more = {} if lengths is None else {"lengths": lengths}
    return judged(Trace(readouts, labels, np.arange(n), costs, costs, costs, readouts=readouts, **more), rule)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Margin(of="logit"), "of must be"),
        (lambda: Exclusion(0), "at least 1"),
        (lambda: Cumulative("product"), "pool must be"),
        (lambda: Cumulative(of="gut"), "unknown evidence 'gut'"),
        (lambda: Consecutive(n=0), "at least 1"),
    ],
)
def test_unusable_options_are_refused(make, told):
    with pytest.raises(InputError, match=told):
        make()


def test_what_is_no_evidence_is_named():
    class Wrong:
        limits = (0.0, 1.0)

        def step(self, readout, state):
            return readout[:, :1], None

    with pytest.raises(InputError, match=r"returned \(2, 1\) for readouts \(2, 3\)"):
        evidence_of_trace(np.zeros((2, 4, 3), np.float32), Wrong())


class Biased(Margin):
    def step(self, readout, state):
        return readout - readout.mean(), None


def test_the_suite_finds_an_evidence_that_looks_at_its_neighbours():
    with pytest.raises(AssertionError, match="depends on the rows beside it"):
        check_evidence(Biased())
