import math

import torch
from torch import Tensor, nn


class Integrator(nn.Module):
    """One linear layer whose output adds up and leaks: the least that has a state.

    Args:
        layout: shape of the input channels.
        n_classes: number of classes K.
        keep: the share of the sum that is left after a step.
    """

    evidence = "probability"

    def __init__(self, layout: tuple[int, ...], n_classes: int, keep: float = 0.9) -> None:
        super().__init__()
        self.weights = nn.Linear(math.prod(layout), n_classes)
        self.n_channels, self.n_classes, self.keep = math.prod(layout), n_classes, keep

    def initial_state(self, batch: int, device: torch.device | str) -> Tensor:
        return torch.zeros(batch, self.n_classes, device=device)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        total = self.keep * state + self.weights(x)  # (B, K)
        return total, total
