"""Which arithmetic runs: the one place that asks for device, dtype, autocast and gradient mode.

The compiled loops read memory of the CPU. Those with a fixed order of sums are in float32. Everything else
is torch's: another device, another precision, autocast, what autograd must see, and a graph in the making,
whose tensors have no memory.
"""

from collections.abc import Iterable

import torch
from torch import Tensor


def reads(x: Tensor) -> bool:
    """Return whether a compiled loop of float32 numbers can read ``x`` (autocast casts products alone)."""
    return x.is_cpu and x.dtype == torch.float32 and not torch.compiler.is_compiling()


def compresses(x: Tensor) -> bool:
    """Return whether a product with ``x`` may run over its entries that are not 0."""
    if torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu"):
        return False
    return x.is_cpu and x.dtype in (torch.float32, torch.float64)


def recording(*tensors: Tensor | None) -> bool:
    """Return whether autograd records what is computed from any of the tensors."""
    return torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in tensors)


def at_inference() -> bool:
    """Return whether autograd records nothing at all."""
    return not torch.is_grad_enabled()


def sums_in_order(x: Tensor) -> bool:
    """Return whether products with ``x`` take the order of ``sums.py``: at inference, float32, on the CPU."""
    return at_inference() and reads(x) and not torch.is_autocast_enabled("cpu")


def runs_whole(device: torch.device, weights: Iterable[Tensor]) -> bool:
    """Return whether a whole run to the decision is compiled.

    It is in float32 where a kernel is registered for the device (``torch.library``; so far the CPU); while
    gradients are recorded, only if every weight takes one.

    Args:
        device: where the code lies.
        weights: every parameter of the model.
    """
    if device.type != "cpu" or torch.get_default_dtype() != torch.float32:
        return False
    if torch.is_autocast_enabled("cpu"):
        return False
    if at_inference():
        return all(map(reads, weights))
    return all(reads(weight) and weight.requires_grad for weight in weights)


def fuses_adamw(device: torch.device) -> bool:
    """Return whether torch has a fused AdamW there."""
    return device.type in ("cpu", "cuda")
