"""Whatever a grid or a search says is taken, or refused by InputError; labels are other folders, each."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st
from test_fuzzed_settings import TABLE, anything, odd

import rc_vs_snn as rv
from rc_vs_snn.config import slug
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.search import search_of

KEYS = st.sampled_from(
    [
        "encoder.n_steps", "encoder", "model.name", "rule.threshold", "training.epochs", "training",
        "objective.name", "models.rc-lstm.model.hidden", "models.nobody.model.hidden", "label", "names",
        "zip", "seed", "", "a.b.c.d",
    ]
)  # fmt: skip
values = st.lists(anything | st.integers(1, 9), max_size=3) | anything
axes = st.dictionaries(KEYS | st.text(max_size=6), values, max_size=3)


def is_taken_or_refused(table, grid=()):
    with contextlib.suppress(rv.InputError):
        runs = Comparison.from_table(table, grid=grid).runs
        assert len({slug(run.label) for run in runs}) == len(runs)


@settings(max_examples=50)
@given(axes | st.lists(axes, max_size=2) | anything, st.none() | axes | st.lists(axes, max_size=2))
def test_tables_of_axes(grid, zipped):
    is_taken_or_refused(TABLE | {"grid": grid} | ({} if zipped is None else {"zip": zipped}))
    entry = TABLE["models"][0] | {"grid": grid}
    is_taken_or_refused(TABLE | {"models": [entry, *TABLE["models"][1:]]})


@settings(max_examples=50)
@given(st.lists(st.tuples(KEYS, st.text(max_size=12) | st.lists(odd, max_size=3).map(str)), max_size=2))
def test_axes_that_are_typed(axes):
    is_taken_or_refused(TABLE, [f"{key}={value}" for key, value in axes])


@settings(max_examples=50)
@given(st.dictionaries(KEYS, anything | st.dictionaries(st.sampled_from(["from", "to", "log", "step"]), odd)))
def test_spaces(table):
    with contextlib.suppress(rv.InputError):
        assert search_of(rv.load_preset("digits").runs[0], table).space
