"""One step of leaky integrate-and-fire neurons in one pass over memory, forward and backward.

snnTorch's ``Leaky`` does the same in a dozen tensor operations, each of which reads and writes every
membrane. This is its arithmetic, equal to it in value and gradient (tests/kernels/test_leaky.py), for
membranes in float32 on the CPU.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rc_vs_snn.kernels import backend
from rc_vs_snn.kernels.compiling import compiled

FAST_SIGMOID, ATAN = 0, 1
SUBTRACT, ZERO, NONE = 0, 1, 2  # as snnTorch numbers them
CLEAR = 3  # "zero" of snnTorch's recurrent neurons: what arrives after a spike is lost, too


class Neuron(NamedTuple):
    """What a layer's neurons have in common.

    Attributes:
        reset: what a spike does a step later: SUBTRACT the threshold, ZERO the membrane, NONE, or CLEAR
            the membrane and the current that arrives.
        surrogate: derivative of a spike, FAST_SIGMOID or ATAN.
        slope: its steepness.
    """

    reset: int
    surrogate: int = FAST_SIGMOID
    slope: float = 1.0


def leaky(
    current: Tensor, membrane: Tensor, decay: Tensor, threshold: Tensor, neuron: Neuron
) -> tuple[Tensor, Tensor]:
    """Return the spikes and the new membranes, ``(B, ..., n)`` each.

    The reset carries no gradient but that of the threshold it subtracts, as in snnTorch.

    Args:
        current: input ``(B, ..., n)``.
        membrane: potentials at the step before, likewise, in float32 on the CPU.
        decay: per step ``(n,)``, clamped to [0, 1].
        threshold: firing threshold ``(n,)``.
        neuron: see there.
    """
    return _Leaky.apply(current.float(), membrane, decay, threshold, *neuron)


def integrator(current: Tensor, membrane: Tensor, decay: Tensor) -> Tensor:
    """Return the new membranes ``(B, n)`` of neurons that never fire; see ``leaky``, but for any membrane."""
    if backend.reads(membrane):
        return leaky(current, membrane, decay, torch.zeros_like(decay), Neuron(NONE))[1]
    return decay.clamp(0, 1) * membrane + current


@compiled(error_model="numpy")
def integrate(current, membrane, decay, threshold, reset, new):  # type: ignore[no-untyped-def]
    """Fill the new membranes of one row, ``(n,)`` as every argument; ``new`` may be ``membrane``."""
    for n in range(len(current)):
        before = membrane[n]
        fired = np.float32(before > threshold[n])
        if reset == ZERO:
            before = before * (np.float32(1) - fired)
        value = decay[n] * before + current[n]
        if reset == SUBTRACT:
            value = value - fired * threshold[n]
        elif reset == CLEAR:
            value = value * (np.float32(1) - fired)
        new[n] = value


@compiled(error_model="numpy")
def retreat(  # type: ignore[no-untyped-def]
    from_spikes, from_new, membrane, new, decay, threshold, reset, surrogate, slope,
    to_current, to_membrane, to_decay, to_threshold,
):  # fmt: skip
    """Fill the gradients of one row's currents and old membranes, ``(n,)``; add to those of the constants.

    Of a constant that is not trained, the gradient has no entries, and nothing is added to it.
    ``to_membrane`` may be ``from_new``. Several loops over few arrays each: over a dozen at once the compiler
    cannot tell which of them overlap, and takes one number at a time.
    """
    half_pi, one = np.float32(np.pi / 2), np.float32(1)
    for n in range(len(new)):
        shifted = new[n] - threshold[n]
        if surrogate == FAST_SIGMOID:
            scale = slope * abs(shifted) + one
            derivative = one / (scale * scale)
        else:
            scale = half_pi * slope * shifted
            derivative = slope / np.float32(2) / (one + scale * scale)
        to_current[n] = from_spikes[n] * derivative
    if len(to_threshold):
        for n in range(len(new)):
            to_threshold[n] -= to_current[n]
    for n in range(len(new)):
        to_current[n] = from_new[n] + to_current[n]
    if reset == SUBTRACT and len(to_threshold):
        for n in range(len(new)):
            to_threshold[n] -= to_current[n] * np.float32(membrane[n] > threshold[n])
    if reset == CLEAR:
        for n in range(len(new)):
            to_current[n] = to_current[n] * (one - np.float32(membrane[n] > threshold[n]))
    for n in range(len(to_decay)):
        kept = one - np.float32(membrane[n] > threshold[n]) if reset == ZERO else one
        to_decay[n] += to_current[n] * membrane[n] * kept
    for n in range(len(new)):
        kept = one - np.float32(membrane[n] > threshold[n]) if reset == ZERO else one
        to_membrane[n] = to_current[n] * decay[n] * kept


@compiled(error_model="numpy")
def _advance(current, membrane, decay, threshold, reset, new, spikes):  # type: ignore[no-untyped-def]
    for row in range(len(new)):
        integrate(current[row], membrane[row], decay, threshold, reset, new[row])
        for n in range(len(threshold)):
            spikes[row, n] = np.float32(new[row, n] > threshold[n])


@compiled(error_model="numpy")
def _retreat(  # type: ignore[no-untyped-def]
    from_spikes, from_new, membrane, new, decay, threshold, reset, surrogate, slope,
    to_current, to_membrane, to_decay, to_threshold,
):  # fmt: skip
    for row in range(len(new)):
        retreat(
            from_spikes[row], from_new[row], membrane[row], new[row], decay, threshold, reset, surrogate,
            slope, to_current[row], to_membrane[row], to_decay, to_threshold,
        )  # fmt: skip


class _Leaky(torch.autograd.Function):
    """See ``leaky``."""

    @staticmethod
    def forward(
        ctx: Any,
        current: Tensor,
        membrane: Tensor,
        decay: Tensor,
        threshold: Tensor,
        reset: int,
        surrogate: int,
        slope: float,
    ) -> tuple[Tensor, Tensor]:
        current, membrane = current.contiguous(), membrane.contiguous()
        clamped = decay.clamp(0, 1)
        new, spikes = torch.empty_like(current), torch.empty_like(current)
        _advance(
            _rows(current),
            _rows(membrane),
            clamped.numpy(),
            threshold.numpy(),
            reset,
            _rows(new),
            _rows(spikes),
        )
        ctx.save_for_backward(membrane, new, decay, clamped, threshold)
        ctx.constants = (reset, surrogate, np.float32(slope))
        return spikes, new

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        membrane, new, decay, clamped, threshold = ctx.saved_tensors
        from_spikes, from_new = (gradient.contiguous() for gradient in gradients)
        to_current, to_membrane = torch.empty_like(new), torch.empty_like(new)
        to_decay, to_threshold = sums_of(decay), sums_of(threshold)
        reset, surrogate, slope = ctx.constants
        _retreat(
            _rows(from_spikes), _rows(from_new), _rows(membrane), _rows(new), clamped.numpy(),
            threshold.numpy(), reset, surrogate, slope, _rows(to_current), _rows(to_membrane),
            to_decay.numpy(), to_threshold.numpy(),
        )  # fmt: skip
        return (
            to_current, to_membrane, only_within(decay, to_decay), as_gradient(to_threshold),
            None, None, None,
        )  # fmt: skip


def sums_of(constant: Tensor) -> Tensor:
    """Return zeros to sum a constant's gradient in, float64 ``(n,)``; of no entries if it is not trained."""
    return torch.zeros(len(constant) if constant.requires_grad else 0, dtype=torch.float64)


def as_gradient(sums: Tensor) -> Tensor | None:
    """Return what autograd takes, float32, of sums as ``sums_of`` begins them."""
    return sums.float() if len(sums) else None


def only_within(decay: Tensor, sums: Tensor) -> Tensor | None:
    """Return ``as_gradient`` of decays clamped to [0, 1]: none beyond the ends."""
    return as_gradient(torch.where((decay >= 0) & (decay <= 1), sums, 0) if len(sums) else sums)


def _rows(x: Tensor) -> np.ndarray:
    return x.detach().reshape(-1, x.shape[-1]).numpy()
