"""Models of one size: hidden units by hand, and every family close to the one that is matched."""

import pytest

import rc_vs_snn as rv
from rc_vs_snn.experiment.matching import match_parameters
from rc_vs_snn.experiment.parts import assemble, count_parameters, load_splits

CPU = rv.Execution(device="cpu")
OTHERS = ["rank-snn", "recurrent-rank-snn", "rc-gru", "conv-rc-lstm", "conv-rank-snn"]


@pytest.fixture(scope="module")
def comparison():
    found = rv.Comparison("sizes", rv.load_preset("digits", ["models.rc-lstm.model.hidden=96"]).runs[:1])
    for name in OTHERS:
        found = found.add(name, model=name)
    return found


def sizes(comparison):
    splits = load_splits(comparison.runs[0], CPU)
    return [count_parameters(assemble(run, splits, CPU).model) for run in comparison.runs]


def test_every_family_comes_within_two_per_cent_of_the_first(comparison):
    matched = match_parameters(comparison, CPU)
    assert matched.runs[0] == comparison.runs[0]
    counts = sizes(matched)
    assert all(abs(count / counts[0] - 1) < 0.02 for count in counts)
    assert counts[0] == 4 * 96 * (64 + 96 + 1) + 10 * (96 + 1)  # gates with one bias, readout


def test_a_model_is_matched_to_the_one_that_is_named_and_no_hidden_size_is_closer(comparison):
    """A recurrent net of H leaky neurons has H (64 + 1 + H + 1) + 10 (H + 1) + 10 parameters."""
    named = rv.Comparison("sizes", comparison.runs[:3], match_parameters="rank-snn")
    matched = match_parameters(named, CPU)
    lstm, snn, recurrent = matched.runs
    assert snn == comparison.runs[1]
    target = sizes(named)[1]
    assert target == 512 * (64 + 1 + 1) + 10 * (512 + 1) + 10

    def by_hand(hidden):
        return hidden * (64 + 1 + hidden + 1) + 10 * (hidden + 1) + 10

    hidden = recurrent.model.options["hidden"]
    assert sizes(matched)[2] == by_hand(hidden)
    assert min(range(1, 1000), key=lambda each: abs(by_hand(each) - target)) == hidden
    assert lstm.model.options["hidden"] < 96


def test_what_cannot_be_matched_is_refused(comparison):
    with pytest.raises(rv.InputError, match="did you mean 'rank-snn'"):
        rv.Comparison("sizes", comparison.runs, match_parameters="rank-sn")
    with pytest.raises(rv.InputError, match="must be true, false or a model's label, got 3"):
        rv.Comparison("sizes", comparison.runs, match_parameters=3)


def test_a_comparison_file_may_ask_for_it():
    table = {"extends": "digits", "match_parameters": "rank-SNN"}
    assert rv.Comparison.from_table(table).match_parameters == "rank-SNN"
