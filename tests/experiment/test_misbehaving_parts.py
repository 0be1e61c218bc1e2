"""Parts that keep no promise: each is named in one line, before anything is trained or written."""

import copy
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import rc_vs_snn as rv
from rc_vs_snn.config import Part
from rc_vs_snn.encoded import Frames, SpikeTimes
from rc_vs_snn.encoders import Latency
from rc_vs_snn.experiment import parts, probing
from rc_vs_snn.training.objectives import RankCoding

CPU = rv.Execution(device="cpu")
QUICK = rv.load_preset("digits", ["model.hidden=4"]).with_training(epochs=1)
CODE = Latency(n_steps=5)


def returns_none(samples, seed=0):
    return None


def returns_an_array(samples, seed=0):
    return np.zeros((len(samples), 64))


def another_batch_size(samples, seed=0):
    return CODE(samples.select(slice(0, 1)), seed)


def another_n_steps(samples, seed=0):
    return Latency(n_steps=3 + len(samples))(samples, seed)


def draws_globally(samples, seed=0):
    return SpikeTimes(torch.randint(0, 5, (len(samples), 64)), 5, (8, 8))


def looks_at_neighbours(samples, seed=0):
    pixels = samples.values.reshape(len(samples), 64).astype(float)
    return Frames(torch.from_numpy(pixels - pixels.mean(axis=0)).float()[None].expand(5, -1, -1), (64,))


def changes_its_input(samples, seed=0):
    code = CODE(samples, seed)
    samples.values[:] = 255 - samples.values
    return code


def raises(samples, seed=0):
    raise RuntimeError("two\nlines")


def exits(samples, seed=0):
    sys.exit(3)


def takes_no_seed(samples):
    return CODE(samples)


ENCODERS = [
    (returns_none, "returned NoneType; it returns SpikeTimes or Frames"),
    (returns_an_array, "returned ndarray; it returns SpikeTimes or Frames"),
    (another_batch_size, "returned 1 samples for 6"),
    (another_n_steps, "must be the configured T"),
    (draws_globally, "the same seed gave two codes"),
    (looks_at_neighbours, "must not depend on batch neighbours"),
    (changes_its_input, "changed its input in place|the same seed gave two codes"),
    (raises, "raised RuntimeError: two lines"),
    (exits, "raised SystemExit: 3"),
    (takes_no_seed, r"is no encoder, which is a function \(samples, seed\)"),
    (Latency, "is no encoder"),  # a class, where an object is meant
    (3, "is no encoder"),
    (None, "encoder 'builtins:NoneType' is of the standard library"),
]


class NoThreshold:
    pass


class Threshold:
    def __init__(self, given: Any) -> None:
        self.given = given

    def threshold_at(self, step, n_steps):
        return self.given() if callable(self.given) else self.given


def boom():
    raise KeyError("boom")


RULES = [
    (NoThreshold(), r"is no rule, which is an object with threshold_at\(step, n_steps\)"),
    (Threshold("high"), "gave 'high' as the threshold at step 0; threshold_at returns a number"),
    (Threshold(None), "gave None as the threshold"),
    (Threshold(True), "gave True as the threshold"),
    (Threshold(np.ones(3)), r"gave array\(\[1., 1., 1.\]\) as the threshold"),
    (Threshold(float("nan")), "threshold nan at step 0"),
    (Threshold(boom), "raised KeyError: 'boom'"),
]


class Net(nn.Module):
    """A model that keeps its promises."""

    evidence = "probability"

    def __init__(self, layout, n_classes):
        super().__init__()
        self.linear = nn.Linear(64, n_classes)

    def initial_state(self, batch, device):
        return (torch.zeros(batch, 1),)

    def step(self, x, state):
        return self.linear(x), state


class NoEvidence(Net):
    evidence = None


class NoStep(Net):
    step = None


class FewClasses(Net):
    def step(self, x, state):
        return self.linear(x)[:, :3], state


class ReadoutAlone(Net):
    def step(self, x, state):
        return self.linear(x)


class StateOnModule(Net):
    seen = 0

    def step(self, x, state):
        self.seen += 1
        return self.linear(x) + self.seen, state


class Raising(Net):
    def step(self, x, state):
        raise IndexError("no such row")


MODELS = [
    (NoEvidence, "attribute `evidence` must be 'probability'"),
    (NoStep, r"has a method step\(x, state\)"),
    (FewClasses, r"of shape \(6, 10\) \(batch, class\), got \(6, 3\)"),
    (ReadoutAlone, "step returns the readout, a tensor, and the new state"),
    (StateOnModule, "keep nothing on the module"),
    (Raising, "raised IndexError: no such row"),
    (lambda layout, n_classes: nn, "must be an nn.Module"),
    (lambda layout: nn.Identity(), "is no model, which is a callable that takes layout and n_classes"),
    (lambda layout, n_classes: sys.exit("bye"), "raised SystemExit: bye"),
]


def no_loss(model, encoded, labels, rule):
    return None


def a_number(model, encoded, labels, rule):
    return 0.5, RankCoding()(model, encoded, labels, rule)[1]


OTHERS = [
    ("objective", no_loss, "returned NoneType; it returns the loss"),
    ("objective", a_number, "returned tuple of 2; it returns the loss, a scalar tensor with gradient"),
    ("objective", lambda model, encoded: None, "is no objective"),
    ("augmentation", lambda samples, generator: None, "returned NoneType for 6 samples"),
    ("augmentation", lambda samples, generator: samples.select([0]), "returned Samples of 1 for 6 samples"),
    ("augmentation", lambda samples, generator: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ("dataset", lambda root: [1, 2, 3], "returned list, not Splits"),
    ("dataset", lambda root: sys.exit(), "raised SystemExit"),
    ("dataset", lambda: None, "is no dataset, which is a callable that takes root"),
]

CASES = [
    *(("encoder", part, says) for part, says in ENCODERS),
    *(("rule", part, says) for part, says in RULES),
    *(("model", part, says) for part, says in MODELS),
    *OTHERS,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "part", "says"), CASES, ids=[f"{kind}-{number}" for number, (kind, _, _) in enumerate(CASES)]
)
def test_it_is_named_in_one_line_before_anything_is_written(kind, part, says, tmp_path) -> None:
    comparison = QUICK.add("mine", **{kind: part})
    for attempt in (
        lambda: rv.compare(comparison, tmp_path / "out", CPU),
        lambda: rv.run(comparison.runs[-1], tmp_path / "run", CPU),
    ):
        with pytest.raises(rv.InputError, match=says) as caught:
            attempt()
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.rglob("*.json"))


def test_an_error_of_a_part_keeps_its_cause(tmp_path) -> None:
    with pytest.raises(rv.InputError) as caught:
        rv.run(QUICK.with_encoder(raises).runs[0], tmp_path / "run", CPU)
    assert isinstance(caught.value.__cause__, RuntimeError)


@dataclass(frozen=True)
class FailsLater:
    """An encoder that breaks on a sample that no probe saw."""

    def __call__(self, samples, seed=0):
        return None if len(samples) > 6 else CODE(samples, seed)


def test_what_breaks_later_is_named_too(tmp_path) -> None:
    with pytest.raises(rv.InputError, match=r"encoder FailsLater\(\) returned NoneType for 64 samples"):
        rv.run(QUICK.with_encoder(FailsLater()).runs[0], tmp_path / "run", CPU)


def test_a_part_that_keeps_its_promises_runs(tmp_path) -> None:
    comparison = QUICK.add("mine", model=Net, encoder=CODE, rule=Threshold(np.float64(0.9)))
    assert rv.run(comparison.runs[-1], tmp_path / "run", CPU).status == "done"


@pytest.mark.parametrize("label", ["RC-LSTM", "rank-SNN"])
def test_the_probe_leaves_everything_as_it_was(label: str) -> None:
    (config,) = [run for run in QUICK.runs if run.label == label]
    splits = parts.load_splits(config, CPU)
    task = parts.assemble(config, splits, CPU)
    weights = copy.deepcopy(task.model.state_dict())
    images, drawn = splits.train.values.copy(), torch.get_rng_state()
    task.model.train()
    probing.probe(config, task, splits.train)
    assert task.model.training
    assert torch.equal(drawn, torch.get_rng_state())
    assert np.array_equal(images, splits.train.values)
    assert all(torch.equal(value, weights[name]) for name, value in task.model.state_dict().items())


def test_a_callable_given_as_a_part_is_no_table() -> None:
    assert Part.of({"name": "rate", "gain": 0.5}) == Part("rate", {"gain": 0.5})
