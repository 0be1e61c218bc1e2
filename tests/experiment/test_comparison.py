"""Comparisons: presets, merging, settings, and errors that teach."""

import pytest

from rc_vs_snn import InputError, Part, RunConfig, load_file, load_preset
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.comparison_files import preset_names, preset_summary
from rc_vs_snn.experiment.parts import check_config

TABLE = {
    "dataset": "digits",
    "encoder": {"name": "latency", "n_steps": 4},
    "objective": "rank-coding",
    "training": {"epochs": 2},
    "models": [
        {"label": "A", "model": {"name": "rc-lstm", "hidden": 8}, "rule": {"name": "first-spike"}},
        {"label": "B b", "model": "rank-snn", "rule": "first-spike", "encoder": {"n_steps": 9},
         "training": {"epochs": 5}, "objective": "last-step"},
    ],
}  # fmt: skip


def test_models_override_shared_tables_key_by_key():
    a, b = Comparison.from_table(TABLE).runs
    assert a.encoder == Part("latency", {"n_steps": 4})
    assert b.encoder == Part("latency", {"n_steps": 9})
    assert (a.training.epochs, b.training.epochs) == (2, 5)
    assert (a.objective.name, b.objective.name) == ("rank-coding", "last-step")


def test_another_name_drops_the_options_of_the_shared_one():
    models = [TABLE["models"][0] | {"encoder": {"name": "rate"}}]
    assert Comparison.from_table(TABLE | {"models": models}).runs[0].encoder == Part("rate", {})


def test_settings_reach_all_models_or_one():
    a, b = Comparison.from_table(
        TABLE, ["training.epochs=7", "models.b-b.model.hidden=3", "encoder.name=rate", "encoder.gain=0.5"]
    ).runs
    assert (a.training.epochs, b.training.epochs) == (7, 7)
    assert "hidden" not in Part.of(a.model).options or a.model.options["hidden"] == 8
    assert b.model.options == {"hidden": 3}
    assert a.encoder == b.encoder == Part("rate", {"gain": 0.5})


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads_and_its_options_are_right(name):
    comparison = load_preset(name)
    assert comparison.name == name
    assert len(preset_summary(name)) > 20
    for run in comparison.runs:
        check_config(run)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("training.epochs", "key=value"),
        ("trainin.epochs=3", "did you mean 'training'"),
        ("training.epoch=3", "did you mean 'epochs'"),
        ("training.epochs=0", "at least 1"),
        ("training.epochs=many", "whole number"),
        ("training.schedule=one-cicle", "did you mean 'one-cycle'"),
        ("models.c.training.epochs=3", "allowed: a, b-b"),
        ("models.a=3", "no model|key"),
        ("encoder.a.b=3", "unknown key"),
        ("seed=-1", "seed"),
    ],
)
def test_faulty_settings_say_what_is_allowed(setting, says):
    with pytest.raises(InputError, match=says):
        Comparison.from_table(TABLE, [setting])


def test_unknown_keys_and_missing_tables_are_named():
    with pytest.raises(InputError, match="unknown key 'encoders'; did you mean 'encoder'"):
        Comparison.from_table(TABLE | {"encoders": {}})
    with pytest.raises(InputError, match=r"\[dataset\] is missing; \[model\] is missing"):
        RunConfig.from_table({"encoder": "latency", "rule": "first-spike", "objective": "rank-coding"})
    with pytest.raises(InputError, match="did you mean 'digits'"):
        load_preset("digit")


def test_labels_must_differ_and_seeds_too():
    with pytest.raises(InputError, match="used twice: a"):
        Comparison.from_table(TABLE | {"models": [TABLE["models"][0], TABLE["models"][0] | {"label": "a"}]})
    with pytest.raises(InputError, match="seeds"):
        load_preset("digits").with_seeds(1, 1)
    with pytest.raises(InputError, match="at least one"):
        Comparison.from_table(TABLE | {"models": []})


def test_files_load_like_presets(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('dataset="digits"\nencoder="latency"\nobjective="rank-coding"\n[[models]]\nlabel="x"\n'
                    'model="rc-lstm"\nrule="first-spike"\n')  # fmt: skip
    assert load_file(path).name == "mine"
    path.write_text("dataset = [")
    with pytest.raises(InputError, match="not valid TOML"):
        load_file(path)
    with pytest.raises(InputError, match="cannot read"):
        load_file(tmp_path / "absent.toml")


BASE = """
dataset = "digits"
encoder = { name = "latency", n_steps = 4 }
objective = "rank-coding"
training = { epochs = 2, batch_size = 7 }
[[models]]
label = "A"
model = { name = "rc-lstm", hidden = 8 }
rule = { name = "first-spike", threshold = 0.9 }
training = { epochs = 3 }
[[models]]
label = "B"
model = "rank-snn"
rule = { name = "first-spike", threshold = 4.0 }
"""


@pytest.fixture
def extending(tmp_path):
    """Return a function that loads a file extending BASE."""
    (tmp_path / "base.toml").write_text(BASE)

    def load(text, base="base.toml"):
        (tmp_path / "mine.toml").write_text(f'extends = "{base}"\n{text}')
        return load_file(tmp_path / "mine.toml")

    return load


def test_a_file_that_extends_another_has_its_models_under_its_own_tables(extending):
    a, b = extending("encoder = { n_steps = 9 }\ntraining = { epochs = 5 }").runs
    assert a.encoder == b.encoder == Part("latency", {"n_steps": 9})
    assert (a.training.epochs, b.training.epochs) == (5, 5)
    assert (a.training.batch_size, a.rule.options["threshold"]) == (7, 0.9)


def test_an_entry_starts_from_the_model_it_is_like(extending):
    one, two = extending(
        'training = { batch_size = 9 }\n[[models]]\nlabel = "A, rate"\nlike = "A"\nencoder = "rate"\n'
        '[[models]]\nlabel = "C"\nmodel = "rc-gru"\nrule = "first-spike"'
    ).runs
    assert one.label == "A, rate"
    assert one.model == Part("rc-lstm", {"hidden": 8})
    assert one.encoder == Part("rate")
    assert (one.training.epochs, one.training.batch_size) == (3, 9)
    assert (two.training.epochs, two.training.batch_size) == (2, 9)
    assert two.encoder == Part("latency", {"n_steps": 4})


def test_an_entry_may_be_like_an_earlier_one_of_its_file():
    like = [{"label": "C", "like": "B b", "training": {"batch_size": 3}}, {"label": "D", "like": "C", "rule":
            {"threshold": 0.5}}]  # fmt: skip
    *_, c, d = Comparison.from_table(TABLE | {"models": TABLE["models"] + like}).runs
    assert (c.training.epochs, c.training.batch_size, c.objective.name) == (5, 3, "last-step")
    assert (d.training.batch_size, d.rule) == (3, Part("first-spike", {"threshold": 0.5}))
    with pytest.raises(InputError, match="no model 'Z' before this one"):
        Comparison.from_table(TABLE | {"models": [{"label": "Y", "like": "Z"}, {"label": "Z"}]})


def test_what_cannot_be_extended_is_refused(extending):
    for text, base, says in (
        ('[[models]]\nlabel = "x"\nlike = "a"', "base.toml", "no model 'a'.*allowed: A, B"),
        ("", "digit", "did you mean 'digits'"),
        ("", "absent.toml", "cannot read"),
        ("", "mine.toml", "in a circle"),
    ):
        with pytest.raises(InputError, match=says):
            extending(text, base)
    assert extending("", "digits").runs == load_preset("digits").runs


def test_planned_runs_are_models_times_seeds():
    planned = load_preset("digits").with_seeds(3, 5).planned()
    assert [(run.seed, run.folder_name) for run in planned] == [
        (3, "rc-lstm-seed3"), (3, "rank-snn-seed3"), (5, "rc-lstm-seed5"), (5, "rank-snn-seed5"),
    ]  # fmt: skip


def test_add_copies_a_model_with_changes():
    comparison = load_preset("digits").add("rate SNN", like="rank-SNN", encoder="rate")
    assert comparison.runs[-1].encoder == Part("rate")
    assert comparison.runs[-1].model == comparison.runs[1].model
    with pytest.raises(InputError, match="no model 'x'"):
        comparison.add("y", like="x")
    with pytest.raises(InputError, match="did you mean 'encoder'"):
        comparison.add("y", encode="rate")


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "a/b", "..", "", ".hidden", "x" * 200, "a\x00b", 3])
def test_a_name_that_is_no_folders_name_is_refused(name):
    runs = load_preset("digits").runs
    with pytest.raises(InputError, match="name must be"):
        Comparison(name, runs)


@pytest.mark.parametrize("seeds", [(-1,), (1.5,), (True,), ("0",), (0, 0), ()])
def test_seeds_that_are_none_are_refused_from_python_too(seeds):
    with pytest.raises(InputError, match="seeds must be"):
        load_preset("digits").with_seeds(*seeds)


def test_seeds_in_a_file_are_a_list():
    with pytest.raises(InputError, match="list of whole numbers"):
        Comparison.from_table({"extends": "digits", "seeds": "012"})


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b'\xef\xbb\xbfextends = "digits"\nname = "mine"\n')
    assert load_file(tmp_path / "mine.toml").name == "mine"


@pytest.mark.parametrize("name", ["nul\0byte.toml", "x" * 300])
def test_a_path_that_is_none_is_told(name, tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        load_file(tmp_path / name)


def test_folds_give_each_seed_its_part():
    table = TABLE | {"folds": 3, "seeds": [0, 1, 2]}
    comparison = Comparison.from_table(table)
    planned = comparison.planned()
    parts = [(run.seed, run.dataset.options["fold"], run.dataset.options["n_folds"]) for run in planned]
    assert parts == [(0, 0, 3), (0, 0, 3), (1, 1, 3), (1, 1, 3), (2, 2, 3), (2, 2, 3)]
    assert "fold" not in comparison.runs[0].dataset.options
    with pytest.raises(InputError, match=r"a run's seed is its part, 0\.\.2; got the seeds \[0, 3\]"):
        comparison.with_seeds(0, 3)
    with pytest.raises(InputError, match="folds must be a whole number"):
        Comparison.from_table(TABLE | {"folds": "five"})
