"""Whether a run fits the machine, told before its weights are made."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from rc_vs_snn import registry
from rc_vs_snn.config import RunConfig
from rc_vs_snn.errors import InputError

COPIES = 6
"""Of a weight, in training: itself, its gradient, AdamW's two means, the best and the mean weights."""

SMALL = 2**20
"""Numbers that a tensor of a model's outline really holds: some factories look at what they have made."""


def require_memory(config: RunConfig, context: Mapping[str, Any], device: torch.device) -> None:
    """Refuse a model given by name whose training needs more memory than there is.

    Args:
        config: names the model.
        context: what its factory is called with.
        device: where it is trained.

    Raises:
        InputError: it is too large; says by how much.
    """
    there = _memory(device)
    if config.model.target is not None or there is None:
        return
    named = ", ".join(f"{key}={value}" for key, value in config.model.options.items()) or "its defaults"
    what = f"{config.label}: model '{config.model.name}' with {named}"
    try:
        with _Outline():
            model = registry.models.build(config.model.name, config.model.options, **context)
        tensors = list(model.state_dict().values())
    except _TooLargeError as error:
        raise InputError(f"{what} has more weights than any memory holds; choose a smaller model") from error
    except (Exception, SystemExit):  # a plug-in may need real numbers; other faults are told as it is made
        return
    weights = sum(each.numel() for each in tensors)
    needed = COPIES * sum(each.numel() * each.element_size() for each in tensors)
    if needed > there:
        raise InputError(
            f"{what} has {weights:,} weights; training them takes {needed / 1e9:,.0f} GB, and there are "
            f"{there / 1e9:,.0f} GB: choose a smaller model"
        )


def require_memory_for_traces(config: RunConfig, n_samples: int, n_steps: int, n_classes: int) -> None:
    """Refuse a T at which what is said of every sample at every step is more than the memory holds."""
    there = _memory(torch.device("cpu"))
    needed = n_samples * n_steps * (8 * n_classes + 4 * 8)  # readouts and evidence, costs and events
    if there is not None and needed > there:
        raise InputError(
            f"{config.label}: encoder '{config.encoder.name}' makes T = {n_steps:,} steps; the evidence of "
            f"{n_samples:,} test samples at each takes {needed / 1e9:,.0f} GB, and there are "
            f"{there / 1e9:,.0f} GB: choose a smaller T"
        )


class _TooLargeError(Exception):
    """A tensor whose size overflows."""


class _Outline(TorchFunctionMode):
    """Inside it large tensors have a shape and no memory."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if func in (torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn):
            try:
                outline = func(*args, **{**given, "device": "meta"})
            except (RuntimeError, OverflowError, TypeError) as error:
                raise _TooLargeError from error
            if outline.numel() > SMALL:
                return outline
        return func(*args, **given)


def _memory(device: torch.device) -> int | None:
    """Return the memory of a device in bytes; None where nobody can tell."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return None
