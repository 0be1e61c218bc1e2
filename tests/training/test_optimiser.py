"""What the optimiser sees of weights that lie by source: memory in its own order, gradients in the same."""

import torch

from rc_vs_snn import FirstSpike, SpikeTimes
from rc_vs_snn.models import RankSNN, rc_lstm
from rc_vs_snn.training.objectives import RankCoding
from rc_vs_snn.training.schedules import parameter_groups


def test_adamw_steps_weights_by_source_as_it_does_by_target():
    torch.manual_seed(0)
    model = rc_lstm((7,), 3, hidden=5)
    reference = {name: value.clone().contiguous() for name, value in model.state_dict().items()}
    theirs = {name: torch.nn.Parameter(value) for name, value in reference.items()}
    mine = torch.optim.AdamW(parameter_groups(model, 0.1), lr=0.1, fused=True)
    matrices, others = (
        [value for name, value in theirs.items() if (value.ndim > 1) == wide] for wide in (True, False)
    )
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    other = torch.optim.AdamW(groups, lr=0.1, fused=False)
    for _ in range(4):
        encoded = SpikeTimes(torch.randint(0, 5, (6, 7)), 4, (7,))
        model.zero_grad(set_to_none=True)
        loss, _ = RankCoding()(model, encoded, torch.randint(0, 3, (6,)), FirstSpike(0.5))
        loss.backward()
        gradients = {name.replace("stored", "weight"): each.grad for name, each in model.named_parameters()}
        for name, value in theirs.items():
            gradient = gradients[name]
            value.grad = gradient if gradient.shape == value.shape else gradient.t().contiguous()
        mine.step()
        other.step()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, theirs[name].detach(), rtol=1e-5, atol=1e-6)


def test_no_gradient_lies_otherwise_than_its_weight():
    torch.manual_seed(0)
    for model in (rc_lstm((7,), 3, hidden=5), RankSNN((7,), 3, hidden=5, gain=3.0)):
        encoded = SpikeTimes(torch.randint(0, 5, (6, 7)), 4, (7,))
        loss, _ = RankCoding()(model, encoded, torch.randint(0, 3, (6,)), FirstSpike(0.9))
        loss.backward()
        for name, parameter in model.named_parameters():
            assert parameter.is_contiguous(), name
            assert parameter.grad.is_contiguous(), name
