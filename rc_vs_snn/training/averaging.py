"""A running mean of a model's weights."""

import copy

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class RunningMean:
    """A copy of a model whose weights follow it as an exponential mean.

    Averaged is what ``state_dict`` saves: parameters and the buffers that persist. Other buffers hold what
    a module keeps for itself, such as the last batch's membranes, and may change their shape.

    Args:
        model: what it starts from.
        decay: weight of the mean so far, per update.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        # A membrane of the last batch hangs on its graph, which cannot be copied.
        hanging = {id(each): each.detach().clone() for each in model.buffers() if not each.is_leaf}
        self.module = copy.deepcopy(model, hanging)
        self._mean = get_ema_multi_avg_fn(decay)
        self._started = False

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take the model's weights into the mean; the first ones are the mean."""
        means, news = _saved(self.module), _saved(model)
        if not self._started:
            self._started = True
            for name, mean in means.items():
                mean.copy_(news[name])
            return
        groups: dict[torch.dtype, list[str]] = {}
        for name, mean in means.items():
            groups.setdefault(mean.dtype, []).append(name)
        for names in groups.values():
            self._mean([means[name] for name in names], [news[name] for name in names], 0)


def _saved(model: nn.Module) -> dict[str, Tensor]:
    """Return what ``state_dict`` saves, a tensor of two names once."""
    named = model.state_dict(keep_vars=True)
    first = {id(value): name for name, value in reversed(named.items())}
    return {name: named[name].detach() for name in first.values()}
