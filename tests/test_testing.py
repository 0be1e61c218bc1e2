"""The conformance suite must catch what it promises to catch, and say so."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.encoded import Encoded, Frames, SpikeTimes
from rc_vs_snn.encoders import Latency
from rc_vs_snn.testing import check_dataset, check_encoder, check_model


def _flat(samples: Samples) -> np.ndarray:
    return samples.intensities().reshape(len(samples), int(np.prod(samples.values.shape[1:])))


def _spikes(steps: np.ndarray, samples: Samples, n_steps: int = 5) -> SpikeTimes:
    return SpikeTimes(steps.astype(np.int64), n_steps, samples.values.shape[1:])


def good(samples: Samples, seed: int = 0) -> Encoded:
    return _spikes(np.minimum((1 - _flat(samples)) * 5, 4), samples)


def no_seed(samples: Samples) -> Encoded:
    return good(samples)


def a_tensor(samples: Samples, seed: int = 0) -> Any:
    return torch.from_numpy(_flat(samples))


def batch_first(samples: Samples, seed: int = 0) -> Encoded:
    return Frames(torch.from_numpy(np.stack([_flat(samples)] * 5, axis=1)), samples.values.shape[1:])


def global_draws(samples: Samples, seed: int = 0) -> Encoded:
    return _spikes(torch.randint(0, 5, _flat(samples).shape).numpy(), samples)


def draws_by_place(samples: Samples, seed: int = 0) -> Encoded:
    return _spikes(np.random.default_rng(seed).integers(0, 5, _flat(samples).shape), samples)


def brightest_of_the_batch(samples: Samples, seed: int = 0) -> Encoded:
    pixels = _flat(samples)
    return _spikes(4 * (1 - pixels / pixels.max(initial=1e-6)), samples)


def trimmed(samples: Samples, seed: int = 0) -> Encoded:
    steps = np.floor((1 - _flat(samples)[:, :2]) * 20).astype(np.int64)
    return SpikeTimes(steps, int(steps.max(initial=0)) + 1, (2,))


def needs_a_sample(samples: Samples, seed: int = 0) -> Encoded:
    return _spikes((1 - samples.intensities().reshape(len(samples), -1)) * 4, samples)


def needs_light(samples: Samples, seed: int = 0) -> Encoded:
    pixels = _flat(samples)
    if len(pixels) and pixels.max() == 0:
        raise ZeroDivisionError("max of a dark image")
    return good(samples)


ENCODER_FAULTS = [
    (no_seed, r"cannot be called as encoder\(samples, seed\)"),
    (a_tensor, "returned Tensor; return SpikeTimes"),
    (batch_first, "returned 5 samples for 6; Frames are time first"),
    (global_draws, "the same seed gave two codes"),
    (draws_by_place, "coded differently on their own"),
    (brightest_of_the_batch, "coded differently on their own"),
    (trimmed, "must be the configured T"),
    (needs_a_sample, r"fails on an empty batch.*math\.prod\(layout\)"),
    (needs_light, "fails on blank samples: ZeroDivisionError"),
]


def test_a_good_encoder_passes() -> None:
    check_encoder(good)


@pytest.mark.parametrize(("encoder", "message"), ENCODER_FAULTS, ids=[e.__name__ for e, _ in ENCODER_FAULTS])
def test_encoder_faults(encoder: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_encoder(encoder)


def test_an_encoder_that_changes_its_input() -> None:
    def dim(samples: Samples, seed: int = 0) -> Encoded:
        code = _spikes(np.where(_flat(samples) > 0.5, 0, 4), samples)
        np.minimum(samples.values, 254, out=samples.values)
        return code

    with pytest.raises(AssertionError, match="changed its input in place"):
        check_encoder(dim, Samples(np.full((2, 3, 3), 255, np.uint8), [0, 1], [4, 2], "images", 2))


def test_own_samples_are_used() -> None:
    seen = []

    def spy(samples: Samples, seed: int = 0) -> Encoded:
        seen.append(samples.values.shape[1:])
        return good(samples)

    check_encoder(spy, Samples(np.zeros((3, 2, 9), np.uint8), [0, 0, 0], [5, 6, 7], "images", 1))
    assert set(seen) == {(2, 9)}


def test_one_sample_is_too_few() -> None:
    with pytest.raises(AssertionError, match="at least two samples"):
        check_encoder(good, Samples(np.zeros((1, 2, 2), np.uint8), [0], [0], "images", 1))


# ---------------------------------------------------------------------------------------- datasets


def _part(ids: list[int], labels: list[int], pixel: int = 0) -> Samples:
    return Samples(np.full((len(ids), 2, 2), pixel, np.uint8), labels, ids, "images", 2)


def _splits(**parts: Samples) -> Splits:
    whole = {"train": _part([0, 1], [0, 1]), "valid": _part([2], [0]), "test": _part([3], [1])} | parts
    return Splits(**whole, class_names=("a", "b"))


def test_a_good_dataset_passes() -> None:
    check_dataset(_splits(), _splits)


def test_a_class_missing_in_training() -> None:
    with pytest.raises(AssertionError, match=r"classes \[1\] are not in the training split"):
        check_dataset(_splits(train=_part([0, 1], [0, 0])))


def test_splits_of_different_shape() -> None:
    odd = Samples(np.zeros((1, 3, 3), np.uint8), [0], [2], "images", 2)
    with pytest.raises(AssertionError, match="differ in kind or shape"):
        check_dataset(_splits(valid=odd))


@pytest.mark.parametrize("other", [_part([9], [1]), _part([3], [0]), _part([3], [1], pixel=7)])
def test_loading_twice_must_give_the_same(other: Samples) -> None:
    with pytest.raises(AssertionError, match="loading twice gave two different test splits"):
        check_dataset(_splits(), lambda: _splits(test=other))


def test_not_splits_at_all() -> None:
    with pytest.raises(AssertionError, match="returns Splits, got Samples"):
        check_dataset(_part([0], [0]))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ models

State = tuple[Tensor, ...]


class Good(nn.Module):
    evidence = "probability"

    def __init__(self, layout: tuple[int, ...], n_classes: int) -> None:
        super().__init__()
        self.cell = nn.GRUCell(int(np.prod(layout)), 4)
        self.readout = nn.Linear(4, n_classes)

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        return (torch.zeros(batch, 4, device=device),)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        hidden = self.cell(x, state[0])
        return self.readout(hidden), (hidden,)

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        return x.sum(1), x.new_zeros(len(x))


class NoEvidence(Good):
    evidence = "logits"


class ListState(Good):
    def initial_state(self, batch: int, device: torch.device | str) -> Any:
        return list(super().initial_state(batch, device))


class LayerFirst(Good):
    def initial_state(self, batch: int, device: torch.device | str) -> State:
        return (torch.zeros(1, batch, 4),)


class WrongReadout(Good):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        readout, state = super().step(x, state)
        return readout.T, state


class Remembers(Good):
    def __init__(self, layout: tuple[int, ...], n_classes: int) -> None:
        super().__init__(layout, n_classes)
        self.last: Tensor | float = 0.0

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        readout, state = super().step(x, state)
        readout = readout + self.last
        self.last = readout.detach().mean()
        return readout, state


class Counts(Good):
    def __init__(self, layout: tuple[int, ...], n_classes: int) -> None:
        super().__init__(layout, n_classes)
        self.register_buffer("calls", torch.zeros(1))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        self.calls += 1
        return super().step(x, state)


class InPlace(Good):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        readout, new = super().step(x, state)
        state[0].data.add_(1)
        return readout, new


class MixesRows(Good):
    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        readout, state = super().step(x, state)
        return readout - readout.mean(0), state


class UnusedWeight(Good):
    def __init__(self, layout: tuple[int, ...], n_classes: int) -> None:
        super().__init__(layout, n_classes)
        self.spare = nn.Linear(2, 2)


class TotalOperations(Good):
    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        return x.sum(), x.new_zeros(len(x))


class SharedOperations(Good):
    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        return x.sum(1) + x.sum(), x.new_zeros(len(x))


MODEL_FAULTS = [
    (NoEvidence, "must be 'probability'.*got 'logits'"),
    (ListState, "must be a tuple of tensors, got list"),
    (LayerFirst, r"must have the batch \(5\) first"),
    (WrongReadout, r"of shape \(5, 3\) \(batch, class\), got \(3, 5\)"),
    (Remembers, "keep nothing on the module"),
    (Counts, r"changed \['calls'\] on the module"),
    (InPlace, "changed the state it was given in place"),
    (MixesRows, "a row must not depend on others"),
    (UnusedWeight, r"no gradient reaches \['spare.weight', 'spare.bias'\]"),
    (TotalOperations, r"must count acs per row.*\(5,\), got \(\)"),
    (SharedOperations, "a row's acs at step 0 depend on the other rows"),
]


def test_a_good_model_passes_and_leaves_the_global_generator_alone() -> None:
    before = torch.random.get_rng_state()
    check_model(Good, layout=(2, 3), n_classes=4)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(("build", "message"), MODEL_FAULTS, ids=[b.__name__ for b, _ in MODEL_FAULTS])
def test_model_faults(build: Callable[..., nn.Module], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_model(build)


def test_not_a_module() -> None:
    with pytest.raises(AssertionError, match=r"must be an nn\.Module, got int"):
        check_model(lambda layout, n_classes: 3)


def test_an_encoder_is_checked_on_samples_that_are_read_when_asked_for():
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 4), dtype=np.uint8)

    class Disk:
        def __len__(self):
            return 6

        def __getitem__(self, row):
            return images[row]

    samples = Samples(Disk(), np.zeros(6, int), np.arange(6), "images", 1)
    check_encoder(Latency(5), samples)
