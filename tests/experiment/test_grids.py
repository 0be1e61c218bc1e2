"""Grids: the points of axes by hand, their labels, and errors that teach."""

import hashlib
import json
import tomllib
from pathlib import Path

import pytest

import rc_vs_snn as rv
from rc_vs_snn import InputError, Part
from rc_vs_snn.config import canonical, slug
from rc_vs_snn.experiment.comparison import Comparison, load_file, load_preset
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.grids import MOST_POINTS
from rc_vs_snn.experiment.matching import match_parameters

WRITTEN = json.loads((Path(__file__).parent / "hand_written_grids.json").read_text())
"""Label, folder and hash of the configuration of each entry, as they were written one by one at fa8265e."""

HEAD = """
dataset = "digits"
encoder = { name = "latency", n_steps = 4, background = "clip" }
objective = { name = "rank-coding", beta = 0.1 }
rule = { name = "first-spike", threshold = 0.9 }
"""
MODELS = """
[[models]]
label = "A"
model = { name = "rc-lstm", hidden = 8 }

[[models]]
label = "B b"
model = { name = "rank-snn", hidden = 9 }
"""


MANY = list(range(101))


def loaded(text, settings=(), grid=(), models=MODELS):
    return Comparison.from_table(tomllib.loads(HEAD + text + models), settings, grid)


def labels(*arguments, **options):
    return [run.label for run in loaded(*arguments, **options).runs]


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_the_entries_that_were_written_by_hand_come_out_equal(name):
    found = [
        [run.label, run.folder_name, hashlib.sha256(canonical(run.to_table()).encode()).hexdigest()]
        for run in load_preset(name).runs
    ]
    assert found == WRITTEN[name]
    assert len(found) == {"mnist-trade-off": 24, "fashion-mnist-codes": 18}[name]


def test_published_runs_are_those_of_the_preset():
    folder = Path(__file__).parents[2] / "analysis" / "mnist-trade-off" / "runs"
    wanted = {run.folder_name for run in load_preset("mnist-trade-off").with_seeds(0, 1, 2).planned()}
    assert {path.name for path in folder.iterdir()} == wanted


def test_a_product_by_hand():
    grid = "[grid]\nencoder.n_steps = [5, 10]\nrule.threshold = [0.9, 0.95]\n"
    runs = loaded(grid).runs
    assert [(run.label, run.encoder.options["n_steps"], run.rule.options["threshold"]) for run in runs] == [
        ("A, n_steps = 5, threshold = 0.9", 5, 0.9),
        ("A, n_steps = 5, threshold = 0.95", 5, 0.95),
        ("A, n_steps = 10, threshold = 0.9", 10, 0.9),
        ("A, n_steps = 10, threshold = 0.95", 10, 0.95),
        ("B b, n_steps = 5, threshold = 0.9", 5, 0.9),
        ("B b, n_steps = 5, threshold = 0.95", 5, 0.95),
        ("B b, n_steps = 10, threshold = 0.9", 10, 0.9),
        ("B b, n_steps = 10, threshold = 0.95", 10, 0.95),
    ]
    assert all(run.encoder.options["background"] == "clip" for run in runs)
    typed = loaded("", grid=["encoder.n_steps=5,10", "rule.threshold = 0.9, 0.95"])
    assert typed.runs == runs
    short = labels("", grid=["encoder.n_steps=5,10", "label={label} at T = {n_steps}"])
    assert short[:2] == ["A at T = 5", "A at T = 10"]
    quoted = loaded('[grid]\n"encoder.n_steps" = [5, 10]\n"rule.threshold" = [0.9, 0.95]\n')
    assert quoted.runs == runs


def test_zipped_axes_go_together_and_count_as_one():
    zipped = "[zip]\nencoder.n_steps = [5, 10]\nrule.threshold = [0.9, 0.95]\n"
    assert labels(zipped)[:2] == ["A, n_steps = 5, threshold = 0.9", "A, n_steps = 10, threshold = 0.95"]
    both = loaded("[grid]\ntraining.epochs = [1, 2]\n" + zipped).runs[:4]
    assert [
        (run.training.epochs, run.encoder.options["n_steps"], run.rule.options["threshold"]) for run in both
    ] == [(1, 5, 0.9), (1, 10, 0.95), (2, 5, 0.9), (2, 10, 0.95)]
    inside = "[grid]\ntraining.epochs = [1, 2]\n" + zipped.replace("[zip]", "[grid.zip]")
    assert loaded(inside).runs[:4] == both
    two = "[[zip]]\nencoder.n_steps = [5, 10]\n[[zip]]\nrule.threshold = [0.9, 0.95]\n"
    assert len(loaded(two).runs) == 8


def test_several_grids_are_what_holds_under_a_condition():
    text = """
[[grid]]
label = "{label}, {objective}, T = {n_steps}"
objective.name = ["rank-coding", "last-step"]
encoder.n_steps = [5, 10]
[[grid]]
label = "{label}, beta = {objective.beta}"
objective.beta = [0.5]
"""
    runs = loaded(text).runs
    assert [run.label for run in runs[:5]] == [
        "A, rank-coding, T = 5", "A, rank-coding, T = 10", "A, last-step, T = 5", "A, last-step, T = 10",
        "A, beta = 0.5",
    ]  # fmt: skip
    assert runs[0].objective == Part("rank-coding", {"beta": 0.1})
    assert runs[2].objective == Part("last-step", {})  # another name drops what the old one took
    assert runs[4].objective == Part("rank-coding", {"beta": 0.5})
    assert runs[4].encoder.options["n_steps"] == 4


def test_parts_as_values():
    text = """
[grid]
encoder = [{ n_steps = 6 }, { name = "rate", gain = 0.5 }, { name = "rate", gain = 1.0 }, "direct"]
"""
    runs = loaded(text).runs[:4]
    assert [run.encoder for run in runs] == [
        Part("latency", {"n_steps": 6, "background": "clip"}), Part("rate", {"gain": 0.5}),
        Part("rate", {"gain": 1.0}), Part("direct", {}),
    ]  # fmt: skip
    assert [run.label for run in runs] == [
        "A, n_steps = 6",
        "A, rate, gain = 0.5",
        "A, rate, gain = 1.0",
        "A, direct",
    ]
    short = "[grid]\nencoder = [{ name = 'rate', gain = 1 }, 'direct']\nobjective.name = ['last-step']"
    assert labels(short + "\n[grid.names]\nrate = 'coin'\n")[:2] == [
        "A, coin, last-step",
        "A, direct, last-step",
    ]


def test_a_name_is_set_before_the_options_that_stand_before_it():
    runs = loaded("[grid]\nencoder.gain = [0.5, 1]\nencoder.name = ['rate']\n").runs
    assert [run.encoder for run in runs[:2]] == [Part("rate", {"gain": 0.5}), Part("rate", {"gain": 1})]


def test_one_models_axes():
    by_key = "[grid]\nencoder.n_steps = [5, 10]\nmodels.b-b.model.gain = [1.0, 2.0]\n"
    expected = ["A, n_steps = 5", "A, n_steps = 10"] + [
        f"B b, n_steps = {n}, gain = {gain}" for n in (5, 10) for gain in ("1.0", "2.0")
    ]
    assert labels(by_key) == expected
    by_entry = "[grid]\nencoder.n_steps = [5, 10]\n"
    own = MODELS + "[models.grid]\nmodel.gain = [1.0, 2.0]\n"
    assert labels(by_entry, models=own) == expected
    assert labels("", grid=["models.b-b.model.gain=1.0,2.0"]) == ["A", "B b, gain = 1.0", "B b, gain = 2.0"]
    assert labels("", models=own + "[[models]]\nlabel = 'C'\nlike = 'B b'\ntraining.epochs = 9\n")[3:] == [
        "C, gain = 1.0",
        "C, gain = 2.0",
    ]
    other = own + "[[models]]\nlabel = 'C'\nlike = 'B b'\n[models.grid]\nmodel.hidden = [3, 4]\n"
    assert labels("", models=other)[3:] == ["C, hidden = 3", "C, hidden = 4"]


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("encoder.name=rate,direct", ["rate", "direct"]),
        ("encoder.name='rate', 'direct'", ["rate", "direct"]),
        ('encoder.name=["rate", "direct"]', ["rate", "direct"]),
        ("encoder={name='rate', gain=1}, {name='direct'}", ["rate", "direct"]),
    ],
)
def test_values_as_they_are_typed(typed, values):
    runs = loaded("", grid=[typed]).runs[: len(values)]
    assert [run.encoder.name for run in runs] == values


def test_lists_and_true_and_false_are_values():
    found = loaded("", grid=["rule.thresholds=[0.9, 0.8],[0.7, 0.6]", "encoder.flag=true,false"]).runs
    assert found[0].rule.options["thresholds"] == [0.9, 0.8]
    assert found[0].label == "A, thresholds = [0.9, 0.8], flag = true"


def test_labels_are_unique_folder_names():
    """A minus would be lost in a folder's name, and the last part of a key may be that of two axes."""
    assert labels("", grid=["objective.beta=-0.1,0.1"])[:2] == ["A, beta = minus 0.1", "A, beta = 0.1"]
    both = labels("", grid=["objective.beta=1,2", "rule.beta=3"])
    assert both[0] == "A, objective.beta = 1, rule.beta = 3"
    assert len({slug(label) for label in both}) == len(both)


def test_a_grid_over_what_is_shared_needs_no_models():
    text = "[grid]\nlabel = '{model}'\nmodel = [{ name = 'rc-lstm', hidden = 8 }, 'rank-snn']\n"
    assert labels(text, models="") == ["rc-lstm", "rank-snn"]


def test_what_extends_a_grid_meets_its_points(tmp_path):
    (tmp_path / "base.toml").write_text(HEAD + "[grid]\nencoder.n_steps = [5, 10]\n" + MODELS)
    (tmp_path / "more.toml").write_text(
        "extends = 'base.toml'\nseeds = [0, 1]\n[grid]\nrule.threshold = [0.5, 0.6]\n"
    )
    runs = load_file(tmp_path / "more.toml").runs
    assert [run.label for run in runs[:2]] == [
        "A, n_steps = 5, threshold = 0.5",
        "A, n_steps = 5, threshold = 0.6",
    ]
    assert len(runs) == 8
    (tmp_path / "base.toml").write_text(
        (tmp_path / "base.toml").read_text() + "[search]\nmodel.hidden = [3, 4]\n"
    )
    assert load_file(tmp_path / "more.toml").search == {"model": {"hidden": [3, 4]}}
    one = "extends = 'base.toml'\n[[models]]\nlabel = 'C'\nlike = 'B b, n_steps = 10'\n"
    (tmp_path / "one.toml").write_text(one)
    assert load_file(tmp_path / "one.toml").runs[0].encoder.options["n_steps"] == 10


def test_settings_lie_over_points_and_axes_over_settings():
    grid = "[grid]\nencoder.n_steps = [5, 10]\n"
    assert {run.training.epochs for run in loaded(grid, ["training.epochs=3"]).runs} == {3}
    one = loaded(grid, ["models.a-n-steps-5.model.hidden=3"]).runs
    assert [run.model.options["hidden"] for run in one] == [3, 8, 9, 9]
    runs = loaded("", ["encoder.name=rate"], ["encoder.gain=0.5,1"]).runs
    assert runs[0].encoder == Part("rate", {"gain": 0.5})
    with pytest.raises(InputError, match="'A, n_steps = 5' and 'A, n_steps = 10' are one configuration"):
        loaded(grid, ["encoder.n_steps=7"])
    with pytest.raises(
        InputError, match="are one configuration: what an axis of the grid varies is set again"
    ):
        loaded(grid, grid=["encoder.n_steps=7,8"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[grid]\nencoders.n = [1]\n", r"grid: encoders.n: unknown key 'encoders.n'; did you mean 'encoder'"),
        ("[grid]\nencoder.n_steps = []\n", r"grid: encoder.n_steps has no value"),
        ("[grid]\nencoder.n_steps = [5, 10, 5]\n", r"grid: encoder.n_steps has the value 5 twice"),
        ("[grid]\nencoder.n_steps = 5\n", r"must be a list of values, such as \[5, 10, 20\], got 5"),
        ("[grid]\n", r"grid has no axis"),
        ("[zip]\n", r"zip has no axis"),
        ("grid = 3\n", r"grid must be a table of axes"),
        ("[zip]\nencoder.n_steps = [5, 10]\nrule.gain = [1]\n", r"as many: encoder.n_steps has 2, rule."),
        ("[grid]\nseed = [1, 2]\n", r"grid: seed: no axis can be over the label.*--seeds"),
        ("[grid]\nlabel = ['A', 'B']\n", r"label must be a text such as"),
        ("[grid]\nlabel = '{n_step}'\nencoder.n_steps = [5]\n", r"no axis 'n_step'; did you mean 'n_steps'"),
        (f"[grid]\nencoder.a = ['{'x' * 99}']\n", r"say shorter ones: label = '{label}, {encoder.a}'"),
        ("[grid]\nnames = 3\nencoder.n_steps = [5]\n", r"names must be a table"),
        ("[grid]\nlabel = '{label}'\nencoder.n_steps = [5, 6]\n", r"labels must differ.*: a, b-b"),
        ("[grid]\nmodels.c.model.hidden = [5]\n", r"no model 'c'; allowed: a, b-b"),
        ("[grid]\nencoder.a = [5]\nmodels.a.encoder.a = [6]\n", r"two axes of the grid are over encoder.a"),
        ("[grid]\nencoder.a = [5]\n[zip]\nencoder.a = [6]\n", r"two axes of the grid are over encoder.a"),
        ("[grid]\nencoder.a.b = [5]\n", r"unknown key 'encoder.a.b'"),
        ("[grid]\ntraining.epoch = [5]\n", r"did you mean 'epochs'"),
        ("[grid]\nencoder.n_steps = [nan, 5]\n", r"n_steps"),
        (f"[grid]\nencoder.a = {MANY}\nencoder.b = {MANY}\n", r"grid has 20,402 points, and at most 10,000"),
    ],
)  # fmt: skip
def test_faulty_grids_say_what_is_wrong_in_one_line(text, says):
    with pytest.raises(InputError, match=says) as error:
        loaded(text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (["encoder.n_steps"], "'--grid encoder.n_steps' is not of the form key=value, such as"),
        (["encoder.n_steps="], "has no value"),
        (["encoder.n_steps=5", "encoder.n_steps=6"], "is given twice; give all its values at once"),
        (["encodr.n_steps=5"], "--grid: encodr.n_steps: unknown key .*; did you mean 'encoder'"),
        (["label={label}"], "has no axis"),
        (["label={n_step}", "encoder.n_steps=5"], "no axis 'n_step'; did you mean 'n_steps'"),
    ],
)  # fmt: skip
def test_faulty_axes_as_they_are_typed(texts, says):
    with pytest.raises(InputError, match=says):
        loaded("", grid=texts)


def test_an_axis_that_a_model_has_no_option_for_says_so_before_anything_runs(tmp_path):
    comparison = load_preset("digits", grid=["model.gain=1.0,2.0"])
    with pytest.raises(
        InputError, match=r"RC-LSTM, gain = 1.0: model 'rc-lstm' has no option 'gain'; allowed: "
    ):
        rv.compare(comparison, tmp_path / "out", Execution(device="cpu"))
    assert not list(tmp_path.glob("out/*"))


def test_a_grid_and_what_is_of_all_models():
    """Every point is run for every seed and part; one size for all undoes an axis over sizes."""
    folds = loaded("folds = 3\nseeds = [0, 2]\n[grid]\nencoder.n_steps = [5, 6]\n")
    assert len(folds.planned()) == 8
    assert {run.dataset.options["fold"] for run in folds.planned()} == {0, 2}
    named = loaded("match_parameters = 'A, n_steps = 5'\n[grid]\nencoder.n_steps = [5, 6]\n")
    assert named.match_parameters == "A, n_steps = 5"
    sizes = loaded("match_parameters = true\n[grid]\nmodel.hidden = [5, 6]\n")
    with pytest.raises(InputError, match=r"match_parameters makes 'A, hidden = 5' and 'A, hidden = 6'"):
        match_parameters(sizes, Execution(device="cpu"))


def test_ten_thousand_points_are_made_quickly():
    values = list(range(1, MOST_POINTS // 2 + 1))
    assert len(loaded(f"[grid]\ntraining.epochs = {values}\n").runs) == MOST_POINTS
