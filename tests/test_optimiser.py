"""AdamW over transposed views is AdamW."""

import pytest
import torch
from torch import nn

from rc_vs_snn.models.sparse import fan_out_major
from rc_vs_snn.optimiser import adamw


@pytest.mark.parametrize("fused", [True, False])
def test_equals_torchs_adamw(fused):
    torch.manual_seed(0)
    ours = nn.Sequential(fan_out_major(nn.Linear(7, 5)), nn.Linear(5, 3))
    theirs = nn.Sequential(nn.Linear(7, 5), nn.Linear(5, 3))
    theirs.load_state_dict(ours.state_dict())

    def groups(model):
        return [
            {"params": list(model[0].parameters()), "weight_decay": 0.1},
            {"params": model[1].parameters()},
        ]

    mine = adamw(groups(ours), learning_rate=0.1, fused=fused)
    reference = torch.optim.AdamW(groups(theirs), lr=0.1, fused=fused)
    for step in range(4):
        x = torch.rand(6, 7)
        for model, optimiser in ((ours, mine), (theirs, reference)):
            model.zero_grad(set_to_none=True)
            if step != 2:  # a step without gradients changes nothing
                for parameter in model.parameters():
                    parameter.grad = (x.sum() * parameter.detach() + step).contiguous()
            optimiser.step()
        for key, weight in ours.state_dict().items():
            torch.testing.assert_close(weight, theirs.state_dict()[key], rtol=1e-6, atol=1e-7)
    assert ours[0].weight.t().is_contiguous()


def test_no_gradient_of_a_step_before_is_taken_again():
    layer = fan_out_major(nn.Linear(4, 2))
    optimiser = adamw([{"params": [layer.weight], "weight_decay": 0.0}], learning_rate=0.1, fused=False)
    layer.weight.grad = torch.ones_like(layer.weight)
    optimiser.step()
    layer.zero_grad(set_to_none=True)
    before = layer.weight.detach().clone()
    optimiser.step()
    torch.testing.assert_close(layer.weight.detach(), before, rtol=0, atol=0)
