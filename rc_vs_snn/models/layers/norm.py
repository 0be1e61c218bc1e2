"""Batch normalisation that is safe per time step.

Early exit makes the usual batch statistics wrong: at step 0 every row of the batch is there, at step 5
only the few hard ones are, and averages over both describe neither. Here step 0 alone gives the
statistics; every later step, and inference, normalises with their running means. So a row's features
depend neither on which rows are still undecided nor on how many steps came before.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from rc_vs_snn.models.cost import Operations, Signal

Norm = Literal["batch", "group", "none"]

MOMENTUM = 0.1
EPSILON = 1e-5
"""Of ``functional.batch_norm``, where nothing else is said."""


class _Normalised(nn.Module):
    """A normalisation as a layer: nothing kept in the state, and no cost."""

    def initial_state(self, batch: int, like: Tensor) -> None:
        """See ``Layer``."""
        return None

    def step(self, x: Tensor, state: None, step: int) -> tuple[Tensor, None]:
        """See ``Layer``."""
        return self(x, step == 0), None

    def operations(self, x: Signal, before: None, after: None, step: int) -> tuple[Operations | None, Signal]:
        """See ``Layer``; running statistics stay as they are."""
        return None, x.then(lambda: self.again(x.values, step == 0), analogue=True)

    def again(self, x: Tensor, first: bool) -> Tensor:
        """Return what ``forward`` returned, changing nothing."""
        raise NotImplementedError


class FirstStepNorm(_Normalised):
    """Batch normalisation with the statistics of step 0.

    At inference it is an affine map per channel, so it folds into the weights before it: a spiking
    layer that follows stays a layer of synapses and neurons.

    Args:
        n_channels: size of axis 1.

    Attributes:
        batches: batches averaged so far inside ``averaging``, None outside.

    Source: Ioffe and Szegedy 2015, arXiv 1502.03167 (batch normalisation); Zheng et al. 2021, arXiv
    2011.05280 (before spiking neurons, with a scale tied to their threshold). We depart from both in
    taking statistics from the first step only.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_channels))
        self.bias = nn.Parameter(torch.zeros(n_channels))
        self.batches: int | None = None
        self.register_buffer("running_mean", torch.zeros(n_channels))
        self.register_buffer("running_var", torch.ones(n_channels))

    def forward(self, x: Tensor, first: bool) -> Tensor:
        """Return normalised values.

        Args:
            x: ``(B, n_channels, ...)``.
            first: whether this is step 0, whose statistics are taken in training.
        """
        own = self._takes_own(x, first)
        momentum = MOMENTUM
        if own and self.batches is not None:
            self.batches += 1
            momentum = 1 / self.batches
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, own, momentum
        )

    def again(self, x: Tensor, first: bool) -> Tensor:
        """See ``_Normalised``."""
        if self._takes_own(x, first):
            return functional.batch_norm(x, None, None, self.weight, self.bias, True)
        return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias)

    def scale(self) -> Tensor:
        """Return the factor of each channel at inference, weight / sqrt(variance + epsilon), float64."""
        return self.weight.detach().double() / (self.running_var.double() + EPSILON).sqrt()

    def _takes_own(self, x: Tensor, first: bool) -> bool:
        return self.training and first and x.numel() > x.shape[1]

    @property
    def only_in_training(self) -> str:
        """What makes its decisions depend on other samples in training mode."""
        return "it normalises by its batch"


def batch_norms(model: nn.Module) -> list[FirstStepNorm]:
    """Return every batch normalisation of a model."""
    return [module for module in model.modules() if isinstance(module, FirstStepNorm)]


@contextmanager
def averaging(norms: Sequence[FirstStepNorm]) -> Iterator[None]:
    """Let the running statistics become the plain mean over all batches seen inside the context.

    The layers normalise by each batch's own statistics meanwhile, as in training.
    """
    for norm in norms:
        norm.train()
        norm.batches = 0
    try:
        yield
    finally:
        for norm in norms:
            norm.eval()
            norm.batches = None


class RowNorm(_Normalised):
    """A normalisation that looks at one row and one step at a time."""

    def forward(self, x: Tensor, first: bool) -> Tensor:
        """Return normalised values; see ``FirstStepNorm.forward`` (``first`` makes no difference)."""
        return self.again(x, first)


class GroupNorm(RowNorm):
    """Group normalisation. Not an affine map at inference.

    Args:
        n_channels: size of axis 1; in 4 groups, or 2 or 1 where 4 do not divide it.

    Source: Wu and He 2018, arXiv 1803.08494.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        n_groups = next(count for count in (4, 2, 1) if n_channels % count == 0)
        self.norm = nn.GroupNorm(n_groups, n_channels)

    def again(self, x: Tensor, first: bool) -> Tensor:
        """See ``RowNorm``."""
        return self.norm(x)


class Shift(RowNorm):
    """No normalisation: a bias per channel.

    Args:
        n_channels: size of axis 1.
    """

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(n_channels))

    def again(self, x: Tensor, first: bool) -> Tensor:
        """See ``RowNorm``."""
        return x + self.bias.view(-1, *[1] * (x.ndim - 2))


def normalisation(norm: Norm, n_channels: int) -> nn.Module:
    """Return the layer of that name, called with ``(x, first)``; every one ends in a bias per channel."""
    return {"batch": FirstStepNorm, "group": GroupNorm, "none": Shift}[norm](n_channels)
