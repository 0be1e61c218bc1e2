"""Our recurrent cells against torch's own, given the same weights."""

import pytest
import torch

from rc_vs_snn import InputError
from rc_vs_snn.models import rc_gru, rc_lstm
from rc_vs_snn.models.layers.dropout import DropoutState
from rc_vs_snn.models.layers.lstm import LSTMState
from rc_vs_snn.models.stack import StackState


def copy_weights(model, reference):
    with torch.no_grad():
        cells = [layer for name, layer in model.layers.items() if name.startswith("cell")]
        for layer, cell in enumerate(cells):
            getattr(reference, f"weight_ih_l{layer}").copy_(cell.input.weight)
            getattr(reference, f"bias_ih_l{layer}").copy_(cell.input.bias)
            getattr(reference, f"weight_hh_l{layer}").copy_(cell.recurrent.weight)
            bias = cell.recurrent.bias
            getattr(reference, f"bias_hh_l{layer}").copy_(torch.zeros(1) if bias is None else bias)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("build", "torch_class"), [(rc_lstm, torch.nn.LSTM), (rc_gru, torch.nn.GRU)])
def test_equals_torch_given_the_same_weights(build, torch_class, layers):
    torch.manual_seed(1)
    model = build((6,), 3, hidden=5, layers=layers)
    reference = torch_class(6, 5, num_layers=layers)
    copy_weights(model, reference)
    x = torch.randn(7, 4, 6)  # (T, B, C)
    expected, _ = reference(x)
    state = model.initial_state(4, "cpu")
    for step in range(7):
        readout, state = model.step(x[step], state)
        torch.testing.assert_close(readout, model["readout"](expected[step]))


def test_a_zero_state_that_asks_for_a_gradient_gets_it():
    torch.manual_seed(2)
    model, reference = rc_lstm((6,), 3, hidden=5), torch.nn.LSTM(6, 5)
    copy_weights(model, reference)
    x, h, c = torch.rand(1, 4, 6), torch.zeros(1, 4, 5, requires_grad=True), torch.zeros(1, 4, 5)
    parts = {"cell1": LSTMState(h[0], c[0]), "dropout1": DropoutState(None)}
    _, new = model.step(x[0], StackState(1, parts))  # at step 0 the state is known to be zero
    (mine,) = torch.autograd.grad(new.layers["cell1"].h.sum(), h)
    (expected,) = torch.autograd.grad(reference(x, (h, c))[0].sum(), h)
    torch.testing.assert_close(mine, expected)


def test_operations_by_hand():
    """C = 3, H = 2, K = 2: an LSTM has 8 gate synapses per input and per hidden unit, 2 readout synapses."""
    model = rc_lstm((3,), 2, hidden=2)
    x = torch.tensor([[1.0, 1.0, 0.0], [0.0, 2.0, 0.0]])
    before = model.initial_state(2, "cpu")
    _, after = model.step(x, before)
    cost = model.operations(x, before, after)
    assert cost.acs.tolist() == [2 * 8, 2 * 8]  # two spikes; one count of two
    # No recurrent work from a zero state; the readout reads two real-valued units.
    assert cost.macs.tolist() == [2 * 2] * 2
    assert cost.leaks.tolist() == [2, 2]  # one forget gate times cell for each unit
    later = model.operations(torch.zeros(2, 3), after, after)
    assert later.macs.tolist() == [2 * 8 + 2 * 2] * 2
    # Real numbers multiply whatever their value.
    analogue = model.operations(torch.tensor([[0.5, 2.0, 0.0]] * 2), before, after, analogue=True)
    assert analogue.macs.tolist() == [3 * 8 + 2 * 2] * 2
    assert analogue.acs.tolist() == [0, 0]


def test_dropout_mask_is_held_over_steps_and_off_in_evaluation():
    torch.manual_seed(0)
    model = rc_lstm((3,), 2, hidden=50, dropout=0.5)
    state = model.initial_state(4, "cpu")
    mask = state.layers["dropout1"].mask
    assert set(mask.unique().tolist()) == {0.0, 2.0}
    _, state = model.step(torch.ones(4, 3), state)
    torch.testing.assert_close(state.layers["dropout1"].mask, mask)
    model.eval()
    assert model.initial_state(4, "cpu").layers["dropout1"].mask is None


@pytest.mark.parametrize("options", [{"hidden": 0}, {"layers": 0}, {"dropout": 1.0}, {"dropout": -0.1}])
def test_impossible_sizes_are_refused(options):
    with pytest.raises(InputError, match=next(iter(options))):
        rc_lstm((3,), 2, **options)
