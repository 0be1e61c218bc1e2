"""Whether stepping a network gives what its own forward gives; one for which it does not is refused."""

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError
from rc_vs_snn.models.adapters import counting
from rc_vs_snn.models.adapters.stepping import Adapted
from rc_vs_snn.models.state import mapped, select

RELATIVE, ABSOLUTE = 1e-4, 1e-5
LOUDER = (1.0, 4.0, 16.0, 64.0, 256.0)
"""What the input is multiplied by until a network says something: of silence nothing can be told."""


@torch.no_grad()
def check_stepping(model: Adapted, frames: Tensor) -> None:
    """Refuse a network whose steps are not its own forward, or whose rows depend on one another.

    What differs in single precision is looked at again in double precision: a spike may fall on one side of
    the threshold or the other by rounding alone.

    Args:
        model: the adapted network, in eval mode.
        frames: input of a few samples, ``(T, B, C)``.

    Raises:
        InputError: what differs, where first and by how much.
    """
    for factor in LOUDER:
        fault, said = _fault(model, frames * factor)
        if said or fault:
            break
    frames = frames * factor
    if not said:
        warnings.warn(
            f"{model.name} gives the same readout at every step and for every sample, however strong its "
            "input: whether stepping it is right cannot be told",
            stacklevel=2,
        )
    if not fault:
        return
    try:
        double = copy.deepcopy(model).double()
        for part in double.modules():
            part.register_forward_hook(_as_double)
        again, _ = _fault(double, frames.double())
    except Exception:  # what cannot be copied or computed so is judged by what was seen
        again = fault
    if again:
        raise InputError(fault)


def _as_double(module: nn.Module, given: Any, output: Any) -> Any:
    """Return a module's output in double precision: snnTorch's spikes are always single."""
    return mapped(output, lambda part: part.double() if part.is_floating_point() else part)


def _fault(model: Adapted, frames: Tensor) -> tuple[str, bool]:
    """Return what differs, and whether the network says anything but one thing."""
    if model.form.time == "held":  # one input for all steps
        frames = frames.amax(0, keepdim=True)
    whole = model.whole(frames)
    if model.form.time == "held":
        frames = frames.expand(len(whole), -1, -1)
    steps, states = [], [model.initial_state(frames.shape[1], frames.device)]
    for x in frames:
        readout, state = model.step(x, states[-1])
        steps.append(readout)
        states.append(state)
    found = torch.stack(steps)
    if found.shape != whole.shape:
        return (
            f"{model.name} stepped gives readouts of the shape {tuple(found.shape)}, its own forward of "
            f"{tuple(whole.shape)}"
        ), True
    fault = _differing(model, found, whole) or _dependent(model, frames, found, states)
    return fault, bool((whole != whole[:1, :1]).any())


def _differing(model: Adapted, found: Tensor, whole: Tensor) -> str:
    apart = ~_close(found, whole)
    if not bool(apart.any()):
        return ""
    step, row, label = (int(place) for place in apart.nonzero()[0])
    hint = (
        "its forward keeps something from step to step outside of these, or does not treat every step alike"
    )
    if model.form.over == "each":
        counts = torch.arange(1, len(found) + 1, device=found.device)[:, None, None]
        sums = found.cumsum(0)
        for over, other in (("sum", sums), ("mean", sums / counts)):
            if bool(_close(other, whole).all()):
                hint = f"its forward returns the {over} over the steps: say over='{over}'"
    names = ", ".join(list(model.kept)[:4])
    return (
        f"{model.name} stepped (with the state of {names} taken out and put back) is not its own forward: at "
        f"step {step}, sample {row}, class {label} it gives {float(found[step, row, label]):.6g} instead of "
        f"{float(whole[step, row, label]):.6g}; {hint}"
    )


def _dependent(model: Adapted, frames: Tensor, found: Tensor, states: list) -> str:
    for row in range(0, frames.shape[1], max(1, frames.shape[1] // 2)):
        only = torch.tensor([row], device=frames.device)
        for step, x in enumerate(frames):
            alone, _ = model.step(x[only], select(states[step], only))
            if not bool(_close(alone, found[step, only]).all()):
                most = float((alone - found[step, only]).abs().max())
                return (
                    f"sample {row} alone gives another readout of {model.name} than in a batch of "
                    f"{frames.shape[1]} (at step {step}, by up to {most:.3g}); a sample must not depend on "
                    "others (batch statistics must be frozen in eval mode)"
                )
    return ""


def _close(one: Tensor, other: Tensor) -> Tensor:
    return torch.isclose(one, other, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)


@torch.no_grad()
def settle_counting(model: Adapted, frames: Tensor) -> None:
    """Find out which layers are given real numbers, and whether all operations can be seen.

    Args:
        model: the adapted network.
        frames: input of a few samples, ``(T, B, C)``.
    """
    state = model.initial_state(frames.shape[1], frames.device)
    neurons: tuple[nn.Module, ...] = tuple(
        part for module, keeper in model.kept.values() if not isinstance(module, nn.RNNBase | nn.RNNCellBase)
        for part in module.modules() if not _matrices(part)
    )  # fmt: skip
    for step, x in enumerate(frames):
        _, state, watch = model.watched_step(x, state)
        model.real |= counting.reals(watch.reads)
        if step == 0:
            model.uncounted = counting.uncounted(model.module, watch.reads, neurons)


def _matrices(module: nn.Module) -> bool:
    return any(weight.ndim > 1 for weight in module.parameters(recurse=False))
