"""Objectives by hand, on a model that says what it is given."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import rc_vs_snn as rv
from rc_vs_snn import FirstSpike, Frames, InputError, SpikeTimes
from rc_vs_snn.experiment.parts import assemble, load_splits
from rc_vs_snn.registry import objectives
from rc_vs_snn.training import loop
from rc_vs_snn.training.objectives import (
    Aligned,
    Cumulative,
    EveryStep,
    RankCoding,
    objective_after,
    spoken_steps,
)

RULE = FirstSpike(0.85)


class Echo(nn.Module):
    """Its logits are its input, times a weight of 1."""

    evidence = "probability"

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def initial_state(self, batch, device):
        return (torch.zeros(batch),)

    def step(self, x, state):
        return self.weight * x, state


def saying(*samples, energy=None):
    """Return frames that hold logits with these probabilities ``(T_i, K)``, raised by each step's energy."""
    lengths = [len(each) for each in samples]
    values = np.full((max(lengths), len(samples), len(samples[0][0])), np.nan, np.float32)
    for row, each in enumerate(samples):
        values[: lengths[row], row] = np.log(each)
        values[: lengths[row], row] -= values[: lengths[row], row].mean(1, keepdims=True)
        if energy is not None:
            values[: lengths[row], row] += np.asarray(energy[row])[:, None]
    return Frames(values, (values.shape[2],), lengths=np.array(lengths))


def test_cumulative_by_hand():
    """Of label 0 the mean probability is 0.5 after one step and 0.7 after two; the other ends with 0.8."""
    encoded = saying([[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8]])
    loss, decision = Cumulative()(Echo(), encoded, torch.tensor([0, 1]), RULE)
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.7) + math.log(0.8)) / 3, abs=1e-6)
    assert decision.step.tolist() == [1, 0]
    assert decision.decided.tolist() == [True, False]  # the rule reads single steps: 0.9, not the mean of 0.7


def test_the_gradient_of_cumulative_by_hand():
    """d/dz of -log((p1 + p2) / 2) at the second step is -p2 (1 - p2) / (p1 + p2) for the label's logit."""
    values = torch.tensor([[[0.0, 0.0]], [[math.log(3), 0.0]]], requires_grad=True)  # p: 0.5, then 0.75

    class Given(Echo):
        def step(self, x, state):
            return values[int(x[0, 0])], state

    encoded = Frames(torch.tensor([[[0, 0]], [[1, 0]]]), (2,))
    Cumulative()(Given(), encoded, torch.tensor([0]), RULE)[0].backward()
    assert values.grad[1, 0, 0].item() == pytest.approx(-0.75 * 0.25 / 1.25 / 2, abs=1e-6)
    assert values.grad[0, 0, 0].item() == pytest.approx(-(0.5 + 0.25 / 1.25) / 2, abs=1e-6)


def test_of_one_step_cumulative_and_every_step_are_one():
    encoded, labels = saying([[0.5, 0.3, 0.2]], [[0.1, 0.2, 0.7]]), torch.tensor([0, 1])
    losses = [each(Echo(), encoded, labels, RULE)[0].item() for each in (Cumulative(), EveryStep())]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


SPOKEN = saying([[0.25, 0.75], [0.4, 0.6], [0.9, 0.1]], [[0.7, 0.3], [0.2, 0.8]],
                energy=([-9, 0, -8], [3, 9]))  # fmt: skip


def test_aligned_by_hand():
    """The word begins at step 1 of both, and goes on where the energy falls; before, nothing is wanted."""
    silent = -(math.log(0.25) + math.log(0.75)) / 2 - (math.log(0.7) + math.log(0.3)) / 2
    word = -(math.log(0.4) + math.log(0.9) + math.log(0.8))
    labels = torch.tensor([0, 1])
    uniform, decision = Aligned()(Echo(), SPOKEN, labels, RULE)
    assert uniform.item() == pytest.approx((silent + word) / 5, abs=1e-6)
    masked, _ = Aligned(silence="mask")(Echo(), SPOKEN, labels, RULE)
    assert masked.item() == pytest.approx(word / 3, abs=1e-6)
    assert decision.step.tolist() == [2, 1]


def test_a_word_begins_where_the_energy_has_risen():
    spoken = spoken_steps(SPOKEN, 0.5)
    assert spoken.T.tolist() == [[False, True, True], [False, True, False]]  # the second has two steps
    counts = Frames(torch.tensor([1, 2, 6, 0])[:, None, None], (1,))
    assert spoken_steps(counts, 0.3).T.tolist() == [[False, True, True, True]]
    assert spoken_steps(counts, 1.0).T.tolist() == [[False, False, True, True]]
    spikes = SpikeTimes(torch.tensor([[2, 2, 1]]), 3, (3,))
    assert spoken_steps(spikes, 0.6).T.tolist() == [[False, False, True]]
    flat = Frames(torch.ones(2, 1, 1), (1,))
    assert spoken_steps(flat, 0.5).all()


@pytest.mark.parametrize("options", [{"rise": 0.0}, {"rise": 1.1}, {"until": -0.1}, {"auxiliary": -1.0}])
def test_what_cannot_be_aligned_is_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        Aligned(**options)


def test_aligned_gives_way_to_rank_coding():
    objective = Aligned(until=0.25, beta=0.1, auxiliary=0.2)
    assert objective_after(objective, 0.24) is objective
    assert objective_after(objective, 0.25) == RankCoding(0.1, 0.2)
    assert objective_after(Aligned(until=1), 1.0) == Aligned(until=1)
    plain = RankCoding()
    assert objective_after(plain, 0.9) is plain


def test_the_loop_asks_for_the_objective_in_force(monkeypatch):
    asked = []

    class Changing(RankCoding):
        def at(self, done):
            asked.append(round(done, 3))
            return RankCoding()

    monkeypatch.setitem(objectives._factories, "changing", Changing)
    preset = rv.load_preset("digits", ["objective.name=changing", "training.batch_size=600"])
    run = preset.with_training(epochs=2).runs[0]
    cpu = rv.Execution(device="cpu")
    splits = load_splits(run, cpu)
    task = assemble(run, splits, cpu)
    loop.train(task, splits.train, splits.valid, run.training)
    n = len(splits.train)
    each = [at / n / 2 for at in range(0, n, 600)]
    assert asked == [round(part + epoch / 2, 3) for epoch in range(2) for part in each]


@pytest.mark.parametrize("name", ["cumulative", "aligned"])
def test_they_can_be_named_in_a_comparison(name, tmp_path):
    preset = rv.load_preset("digits", [f"objective.name={name}"]).with_training(epochs=2)
    record = rv.run(preset.runs[0], tmp_path / "run", rv.Execution(device="cpu"))
    assert record.status == "done"
    assert record.config["objective"]["name"] == name


def test_every_step_in_its_tet_form_by_hand():
    """Logits ±a say 0.5, 0.5 and 0.9, 0.1: a = 0, then ln 9 / 2; one step of 0.2, 0.8: ln 4 / 2."""
    encoded, labels = saying([[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8]]), torch.tensor([0, 1])
    entropy = -(math.log(0.5) + math.log(0.9) + math.log(0.8)) / 3
    levels = [0.0, 0.0, math.log(9) / 2, -math.log(9) / 2, -math.log(4) / 2, math.log(4) / 2]
    level = sum((each - 1) ** 2 for each in levels) / 6
    for mse in (0.0, 1e-3, 0.25):
        loss, decision = EveryStep(mse)(Echo(), encoded, labels, RULE)
        assert loss.item() == pytest.approx((1 - mse) * entropy + mse * level, abs=1e-6)
        assert decision.step.tolist() == [1, 0]


def test_every_step_is_the_loss_of_tet():
    """As in their sources: the steps' cross-entropies one by one, and the distance of all outputs from 1."""
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 6, 10), torch.tensor([3, 1, 4, 1, 5, 9])
    found, _ = EveryStep(1e-3)(Echo(), Frames(logits, (10,)), labels, RULE)
    outputs = logits.transpose(0, 1)  # theirs are (B, T, K)
    steps = sum(nn.CrossEntropyLoss()(outputs[:, t], labels) for t in range(4)) / 4
    distance = nn.MSELoss()(outputs, torch.full_like(outputs, 1.0))
    torch.testing.assert_close(found, (1 - 1e-3) * steps + 1e-3 * distance)


def test_without_it_every_step_is_the_mean_cross_entropy_to_the_bit():
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 6, 10), torch.tensor([3, 1, 4, 1, 5, 9])
    found, _ = EveryStep()(Echo(), Frames(logits, (10,)), labels, RULE)
    assert found == nn.functional.cross_entropy(logits.reshape(-1, 10), labels.repeat(4))


@pytest.mark.parametrize("mse", [-0.1, 1.0, math.nan])
def test_a_share_of_the_loss_is_at_least_0_and_below_1(mse):
    with pytest.raises(InputError, match=r"mse must lie in \[0, 1\)"):
        EveryStep(mse)
