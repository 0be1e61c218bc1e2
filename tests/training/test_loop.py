"""Schedules, early stopping, weight averaging and what the optimiser sees."""

import math

import numpy as np
import pytest
import snntorch
import torch

import rc_vs_snn as rv
from rc_vs_snn.config import Training
from rc_vs_snn.decision.rules import FirstSpike
from rc_vs_snn.experiment.parts import assemble, load_splits
from rc_vs_snn.testing.training import check_training
from rc_vs_snn.training.averaging import RunningMean
from rc_vs_snn.training.loop import train, validate
from rc_vs_snn.training.schedules import make_schedule, parameter_groups, warmed_up

CPU = rv.Execution(device="cpu")


@pytest.fixture
def parts():
    """A small task with its train and valid splits."""
    config = rv.load_preset("digits", ["models.rc-lstm.model.hidden=16"]).runs[0]
    splits = load_splits(config, CPU)
    return assemble(config, splits, CPU), splits.train.select(slice(0, 300)), splits.valid


@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant"])
@pytest.mark.parametrize(("epochs", "n_batches"), [(1, 1), (1, 2), (1, 3), (2, 1), (3, 5), (20, 10)])
def test_schedules_live_for_any_length_and_peak_at_the_learning_rate(schedule, epochs, n_batches):
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.AdamW([parameter], lr=0.1)
    scheduler = make_schedule(optimiser, Training(epochs, schedule=schedule, learning_rate=0.1), n_batches)
    rates = []
    for _ in range(epochs * n_batches):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step()
    assert all(0 <= rate <= 0.1 + 1e-9 for rate in rates)
    if epochs * n_batches > 2:
        assert max(rates) == pytest.approx(0.1, rel=0.05)
    if schedule != "constant" and len(rates) == 200:
        assert rates[-1] < 0.001


def test_the_model_is_left_with_its_best_epoch_on_valid(parts):
    task, training, valid = parts
    history = train(task, training, valid, Training(epochs=6, learning_rate=0.02))
    best = max(entry["valid_accuracy"] for entry in history)
    assert validate(task, valid).means("valid")["valid_accuracy"] == best
    assert set(history[0]) == {
        "epoch", "train_loss", "train_accuracy", "train_mean_step", "train_forced", "valid_accuracy",
        "valid_mean_step", "valid_forced", "seconds", "learning_rate",
    }  # fmt: skip


def test_the_last_epoch_is_kept_where_that_is_asked_for(parts):
    task, training, valid = parts
    history = train(
        task, training, valid, Training(epochs=7, learning_rate=0.05, schedule="constant", keep="last")
    )
    means = validate(task, valid).means("valid")
    assert {name: history[-1][name] for name in means} == means
    best = max(entry["valid_accuracy"] for entry in history)
    assert history[-1]["valid_accuracy"] < best, "the case shows nothing"


def test_patience_stops_a_training_that_gets_no_better(parts):
    task, training, valid = parts
    history = train(task, training, valid, Training(epochs=50, learning_rate=1e-9, patience=2))
    assert len(history) == 3


def test_the_averaged_weights_are_what_is_kept(parts):
    task, training, valid = parts
    before = {name: value.clone() for name, value in task.model.state_dict().items()}
    # A decay this near 1 keeps the mean near the first weights, however far the model has moved.
    train(task, training, valid, Training(epochs=2, learning_rate=0.05, ema_decay=0.9999))
    moved = [(value - before[name]).abs().max().item() for name, value in task.model.state_dict().items()]
    assert 0 < max(moved) < 0.01


def test_bfloat16_products_train_and_leave_float32_weights(parts):
    task, training, valid = parts
    history = train(task, training, valid, Training(epochs=3, learning_rate=0.01, precision="bfloat16"))
    assert all(math.isfinite(entry["train_loss"]) for entry in history)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert {parameter.dtype for parameter in task.model.parameters()} == {torch.float32}


def test_the_threshold_rises_from_zero_over_the_warm_up():
    config = Training(threshold_warmup=2)
    thresholds = [
        warmed_up(FirstSpike(0.9), config, epochs).threshold_at(0, 10) for epochs in (0, 0.5, 1, 2, 3)
    ]
    assert thresholds == pytest.approx([0, 0.225, 0.45, 0.9, 0.9])


def test_a_warmed_up_model_decides_at_once_in_its_first_batches(parts):
    task, training, valid = parts
    history = train(task, training, valid, Training(epochs=1, threshold_warmup=10, learning_rate=1e-4))
    assert history[0]["train_mean_step"] == 0
    assert history[0]["valid_mean_step"] > 5  # validation sees the rule itself


def test_only_weight_matrices_decay():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Conv2d(1, 2, 3))
    decaying, constant = parameter_groups(model, 0.1)
    assert (decaying["weight_decay"], constant["weight_decay"]) == (0.1, 0.0)
    assert [parameter.ndim for parameter in decaying["params"]] == [2, 4]
    assert [parameter.ndim for parameter in constant["params"]] == [1, 1]


def test_augmentation_touches_training_batches_only(parts):
    task, training, _ = parts
    rows = np.arange(10)
    plain = next(iter(task.batches(training, rows, 10, "valid")))[0].steps
    augmented = next(iter(task.batches(training, rows, 10, "train-0", augment=True)))[0].steps
    other_epoch = next(iter(task.batches(training, rows, 10, "train-1", augment=True)))[0].steps
    assert torch.equal(plain, task.encoder(training.select(rows), 0).steps)
    assert not torch.equal(plain, augmented)
    assert not torch.equal(augmented, other_epoch)


class _WithNeuron(torch.nn.Module):
    """A plug-in that leaves its snnTorch neuron's membrane, a buffer of the batch's shape, on the module."""

    evidence = "membrane"

    def __init__(self, layout, n_classes):
        super().__init__()
        self.synapses = torch.nn.Linear(int(np.prod(layout)), n_classes)
        self.neuron = snntorch.Leaky(beta=0.9)
        self.register_buffer("batches", torch.zeros(1))

    def initial_state(self, batch, device):
        return (torch.zeros(batch, self.synapses.out_features, device=device),)

    def step(self, x, state):
        if self.training:
            self.batches += 1
        _, membrane = self.neuron(self.synapses(x), state[0])
        return membrane, (membrane,)


def test_a_mean_is_kept_of_what_is_saved_and_not_of_a_neurons_last_membrane():
    model = _WithNeuron((3,), 2).eval()
    mean = RunningMean(model, 0.75)
    for value in (4.0, 8.0):  # mean: 4, then 0.75 * 4 + 0.25 * 8
        with torch.no_grad():
            model.synapses.weight.fill_(value)
            model.batches.fill_(value)
            model.step(torch.ones(int(value), 3), model.initial_state(int(value), "cpu"))
        mean.update(model)
    assert model.neuron.mem.shape == (8, 2)
    assert mean.module.synapses.weight.unique().tolist() == [5.0]
    assert mean.module.batches.tolist() == [5.0]
    check_training(lambda: _WithNeuron((3,), 2), (3,), 2)


def test_a_weight_of_two_names_is_averaged_once():
    model = torch.nn.Sequential(torch.nn.Linear(1, 1, bias=False), torch.nn.Linear(1, 1, bias=False))
    model[1].weight = model[0].weight
    mean = RunningMean(model, 0.75)
    for value in (4.0, 8.0):
        torch.nn.init.constant_(model[0].weight, value)
        mean.update(model)
    assert mean.module[1].weight.item() == 5.0
    assert mean.module[0].weight is mean.module[1].weight
