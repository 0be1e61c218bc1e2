"""A part given as code has an identity made of everything that it computes from."""

import functools
import importlib
import math
import sys
import textwrap
import threading
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy import clip

import rc_vs_snn as rv
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.registry.identity import UNKNOWN, identity_of

CPU = rv.Execution(device="cpu")
LEVEL = 0.1


def make(level):
    """An encoder whose closure holds a number."""

    def encode(samples, seed):
        lit = samples.intensities().reshape(len(samples), -1) > level
        return SpikeTimes(np.where(lit, 0, 3), 3, samples.values.shape[1:])

    return encode


def helper(x):
    return x + 1


def calls_a_helper(x):
    return helper(x)


def reads_a_global(x):
    return x + LEVEL


class Plain:
    """No dataclass."""

    def __init__(self, level):
        self.level = level

    def __call__(self, samples, seed):
        return make(self.level)(samples, seed)


class Slotted:
    __slots__ = ("level",)

    def __init__(self, level):
        self.level = level


@dataclass(frozen=True)
class Fields:
    level: float


def changed(monkeypatch, name, value):
    monkeypatch.setattr(sys.modules[__name__], name, value)


PAIRS = {
    "closures": (make(0.1), make(0.95)),
    "lambdas": (lambda x: x + 1, lambda x: x + 2),
    "defaults": (lambda x, y=1: x + y, lambda x, y=2: x + y),
    "partials": (functools.partial(make, 0.1), functools.partial(make, 0.2)),
    "objects": (Plain(0.1), Plain(0.95)),
    "slots": (Slotted(0.1), Slotted(0.95)),
    "dataclasses": (Fields(0.1), Fields(0.95)),
    "methods": (Plain(0.1).__call__, Plain(0.95).__call__),
    "arrays": (make(np.array([0.1])), make(np.array([0.2]))),
    "tensors": (make(torch.tensor([0.1])), make(torch.tensor([0.2]))),
    "types of numbers": (make(1), make(True)),
    "collections": (make({"a": [1, {2}]}), make({"a": [1, {3}]})),
    "modules": (torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_other_values_are_another_identity_and_the_same_are_the_same(kind):
    one, other = PAIRS[kind]
    assert UNKNOWN not in (identity_of(one), identity_of(other))
    assert identity_of(one) != identity_of(other)
    assert identity_of(one) == identity_of(one)


def test_equal_code_and_values_are_one_identity():
    assert identity_of(make(0.1)) == identity_of(make(0.1))
    assert identity_of(Plain(0.1)) == identity_of(Plain(0.1))
    assert identity_of(clip) == identity_of(np.clip)
    assert identity_of(math.sin) != identity_of(math.cos)
    assert identity_of(np.exp) != identity_of(np.log)


def test_a_changed_global_or_helper_is_another_identity(monkeypatch):
    before = identity_of(reads_a_global), identity_of(calls_a_helper)
    changed(monkeypatch, "LEVEL", 0.2)
    assert identity_of(reads_a_global) != before[0]
    assert identity_of(calls_a_helper) == before[1]
    changed(monkeypatch, "helper", lambda x: x + 3)
    assert identity_of(calls_a_helper) != before[1]


def test_what_calls_itself_has_an_identity():
    def count(n):
        return 0 if n == 0 else count(n - 1)

    assert identity_of(count) != UNKNOWN


@pytest.mark.parametrize(
    "value", [iter([1]), make(iter([1])), threading.Lock()], ids=["iterator", "inside", "lock"]
)
def test_what_cannot_be_identified_says_so(value):
    assert identity_of(value) == UNKNOWN


def test_an_open_file_cannot_be_identified(tmp_path):
    with (tmp_path / "file").open("w") as file:
        assert identity_of(file) == UNKNOWN


@pytest.fixture(scope="module")
def quick():
    return rv.Comparison("quick", rv.load_preset("digits", ["model.hidden=4"]).runs[:1]).with_training(
        epochs=1
    )


def test_two_closures_in_one_comparison_are_two_runs(quick, tmp_path):
    comparison = quick.with_encoder(make(0.1)).add("other", encoder=make(0.95))
    one, other = rv.compare(comparison, tmp_path, CPU)
    assert one.config["encoder"] != other.config["encoder"]
    assert not np.array_equal(one.trace().input_events, other.trace().input_events)
    again = rv.compare(quick.with_encoder(make(0.1)), tmp_path, CPU)
    assert again[0].provenance["started"] == one.provenance["started"]
    with pytest.raises(rv.InputError, match="holds another run"):
        rv.compare(quick.with_encoder(make(0.5)), tmp_path, CPU)


def test_what_cannot_be_identified_is_run_again_and_says_so(quick, tmp_path):
    comparison = quick.with_encoder(functools.partial(_takes_anything, iter([1])))
    first = rv.compare(comparison, tmp_path, CPU)
    written = (first[0].folder / "provenance.json").stat().st_mtime_ns
    with pytest.warns(UserWarning, match="is run again"):
        second = rv.compare(comparison, tmp_path, CPU)
    assert first[0].metrics["accuracy"] == second[0].metrics["accuracy"]
    assert (second[0].folder / "provenance.json").stat().st_mtime_ns > written


def _takes_anything(_, samples, seed):
    return make(0.5)(samples, seed)


def test_an_edited_file_of_a_plug_in_named_by_its_path_is_another_run(quick, tmp_path, monkeypatch):
    source = """
        from dataclasses import dataclass
        import numpy as np
        from rc_vs_snn.encoded import SpikeTimes

        @dataclass(frozen=True)
        class Code:
            def __call__(self, samples, seed=0):
                lit = samples.intensities().reshape(len(samples), -1) > LEVEL
                return SpikeTimes(np.where(lit, 0, 3), 3, samples.values.shape[1:])
    """
    file = tmp_path / "my_plug_in.py"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    comparison = quick.with_encoder("my_plug_in:Code")
    file.write_text(textwrap.dedent(source).replace("LEVEL", "0.1"))
    rv.compare(comparison, tmp_path / "runs", CPU)
    rv.compare(comparison, tmp_path / "runs", CPU)  # the same code: read, not repeated
    file.write_text(textwrap.dedent(source).replace("LEVEL", "0.95"))
    importlib.reload(sys.modules["my_plug_in"])
    with pytest.raises(rv.InputError, match="the code of the encoder has changed"):
        rv.compare(comparison, tmp_path / "runs", CPU)
