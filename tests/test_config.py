"""What a configuration refuses, from a file, the command line and Python alike, before anything runs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn.cli import main
from rc_vs_snn.config import Part, RunConfig, Training
from rc_vs_snn.experiment.comparison import Comparison

DIGITS = rv.load_preset("digits")
NAN, INF = float("nan"), float("inf")

RANGES = [
    ("epochs", [0, -1, 1.5, True, "3", NAN, 10**9, 10**400], "of at least 1 and at most 10000000"),
    ("batch_size", [0, -1, 1.5, True, None, [1], 10**9], "of at least 1 and at most 10000000"),
    ("patience", [-1, 0.5, False, INF], "of at least 0 and at most 10000000"),
    ("threshold_warmup", [-1, 0.5, True], "of at least 0 and at most 10000000"),
    ("learning_rate", [0, -1e-3, NAN, INF, 1e6, "fast", True, 10**400], "above 0 and below 1e.06"),
    ("weight_decay", [-1, NAN, INF, -INF, 1e6, "much"], "of at least 0 and below 1e.06"),
    ("clip_norm", [-1, NAN, INF, 1e6, None], "of at least 0 and below 1e.06"),
    ("ema_decay", [-0.1, 1, 1.0, NAN, False, "0.9"], "of at least 0 and below 1, got"),
    ("schedule", ["one-cicle", 3, None], "allowed: constant, cosine, one-cycle"),
    ("keep", ["first", True], "allowed: best, last"),
    ("precision", ["float16", 32], "allowed: bfloat16, float32"),
]


@pytest.mark.parametrize(("name", "wrong", "bound"), RANGES, ids=[name for name, _, _ in RANGES])
def test_every_training_option_names_its_range(name: str, wrong: list[Any], bound: str) -> None:
    for value in wrong:
        for attempt in (
            lambda value=value: Training(**{name: value}),
            lambda value=value: DIGITS.with_training(**{name: value}),
            lambda value=value: DIGITS.add("x", training={name: value}),
            lambda value=value: Comparison.from_table({"extends": "digits", "training": {name: value}}),
        ):
            with pytest.raises(rv.InputError, match=rf"training\.{name}.*{bound}"):
                attempt()


def test_every_training_option_has_a_range_here() -> None:
    assert {name for name, _, _ in RANGES} == set(vars(Training()))


def test_an_option_that_came_later_changes_no_stored_form_until_it_is_used() -> None:
    assert "keep" not in DIGITS.runs[0].to_table()["training"]
    other = DIGITS.with_training(keep="last").runs[0]
    assert other.to_table()["training"]["keep"] == "last"
    assert RunConfig.from_table(other.to_table()) == other


def test_numbers_of_numpy_are_kept_as_pythons() -> None:
    training = Training(epochs=np.int64(3), learning_rate=np.float32(0.5))
    assert (type(training.epochs), type(training.learning_rate)) == (int, float)
    assert training == Training(epochs=3, learning_rate=0.5)
    assert [type(seed) for seed in DIGITS.with_seeds(*np.arange(2)).seeds] == [int, int]
    assert type(Part("latency", {"n_steps": np.int32(4)}).options["n_steps"]) is int


@dataclass(frozen=True)
class _Scaled:
    """An encoder given in Python, one field of which is out of range, and one that no file holds."""

    gain: float
    table: Any = None

    def __call__(self, samples: Any, seed: int = 0) -> Any: ...


@pytest.mark.parametrize("value", [NAN, INF, -INF, np.float32("nan"), [1.0, INF], {"a": NAN}, 2**63])
def test_a_number_no_record_can_hold_is_refused_in_any_option(value: Any) -> None:
    for attempt in (
        lambda: Part("affine", {"contrast": value}),
        lambda: DIGITS.with_encoder({"name": "rate", "gain": value}),
        lambda: DIGITS.with_encoder(_Scaled(value)),
        lambda: DIGITS.add("x", augmentation={"name": "affine", "contrast": value}),
        lambda: Comparison.from_table({"extends": "digits", "objective": {"beta": value}}),
    ):
        with pytest.raises(rv.InputError, match=r"(contrast|gain|beta).* must (be a finite|lie within 64)"):
            attempt()


def test_what_no_file_holds_is_refused_by_name_and_named_by_its_type_in_python() -> None:
    with pytest.raises(rv.InputError, match=r"'rate': gain must be a number, .*got ndarray"):
        Part("rate", {"gain": np.ones(2)})
    assert Part.of(_Scaled(1.0, np.ones(2))).options["table"] == "<ndarray>"


@pytest.mark.parametrize("setting", ["augmentation.contrast=inf", "augmentation.contrast=nan"])
def test_the_command_line_refuses_it_before_anything_is_trained(setting, capsys, tmp_path) -> None:
    out = tmp_path / "out"
    settings = ["--set", "augmentation.name=affine", "--set", setting]
    assert main(["compare", *settings, "--out", str(out)]) == 2
    assert "'affine': contrast must be a finite number" in capsys.readouterr().err
    assert not out.exists()


SEEDS: list[Any] = [(-1,), (1.5,), (True,), ("0",), (None,), (0, 0), (), (2**63,), (NAN,)]


@pytest.mark.parametrize("seeds", SEEDS, ids=str)
def test_seeds_are_different_whole_numbers(seeds: tuple[Any, ...]) -> None:
    for attempt in (
        lambda: DIGITS.with_seeds(*seeds),
        lambda: Comparison.from_table({"extends": "digits", "seeds": list(seeds)}),
    ):
        with pytest.raises(rv.InputError, match="seeds must be one or more different whole numbers"):
            attempt()
    with pytest.raises(rv.InputError, match="seed"):
        DIGITS.add("x", seed=seeds[0] if len(seeds) == 1 else -1)


@pytest.mark.parametrize("text", ["012", "1_2", "-1", "1.5", "", "0,,1", "true", "1e3", "9" * 400])
def test_seeds_on_the_command_line_are_plain_whole_numbers(text, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", f"--seeds={text}"]) == 2
    assert "seeds must be" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_seed_of_one_model_is_refused_for_it_would_be_ignored() -> None:
    for table, settings in (({"seed": 3}, []), ({}, ["seed=3"])):
        models = [{"label": "A", "like": "RC-LSTM", **table}]
        with pytest.raises(rv.InputError, match="a seed is of all models"):
            Comparison.from_table({"extends": "digits", "models": models}, settings)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"training": "fast"}, "training must be"),
        ({"training": 3}, "training must be"),
        ({"encoder": {"n_steps": 3}}, "a table with a name"),
        ({"model": ""}, "name"),
        ({"dataset": "a\0b"}, "without NUL"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_a_model_added_in_python_is_checked_as_in_a_file(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(rv.InputError, match=says):
        DIGITS.add("x", **changes)


@pytest.mark.parametrize("label", ["", "-", 3, None, "two\nlines", "nul\0l", "x" * 101])
def test_a_label_is_one_line_that_names_a_folder(label: Any) -> None:
    table = DIGITS.runs[0].to_table()
    for attempt in (lambda: DIGITS.add(label), lambda: RunConfig.from_table(table | {"label": label})):
        with pytest.raises(rv.InputError, match="label must be"):
            attempt()


def test_a_training_table_in_python_lies_over_the_model_it_is_like() -> None:
    below = DIGITS.runs[0].training
    added = DIGITS.add("x", training={"epochs": 2}).runs[-1].training
    assert (added.epochs, added.batch_size) == (2, below.batch_size)
