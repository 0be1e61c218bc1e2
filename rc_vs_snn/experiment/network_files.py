"""Networks in somebody's own file, and their weights."""

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from rc_vs_snn.errors import InputError, blamed, did_you_mean
from rc_vs_snn.registry.paths import at_path

WRAPPED = ("state_dict", "model_state_dict", "model", "net")
"""Under what checkpoints keep a state_dict beside other things."""


def load_network(path: str, trust: bool = False) -> nn.Module:
    """Return the network that ``FILE.py:NAME`` or ``MODULE:NAME`` names.

    Args:
        path: where it is; the name is of a network, or of a function or class that makes one and needs no
            argument.
        trust: whether code named by its module may run.

    Raises:
        InputError: no such file or name, code that raises, or what is found is no network.
    """
    home, colon, name = path.rpartition(":")
    if not colon or not home or not name:
        raise InputError(f"'{path}' names no network; write FILE.py:NAME, such as net.py:make")
    if home.endswith(".py"):
        found = _in_file(Path(home), name)
    elif trust:
        found = at_path(path, "network")
    else:
        raise InputError(f"'{path}' names code by its module, which would run; if you trust it, say --trust")
    if not isinstance(found, nn.Module):
        if not callable(found):
            raise InputError(f"'{path}' is a {type(found).__name__}, no network and nothing that makes one")
        _require_no_arguments(found, path)
        with blamed(f"'{path}'"):
            found = found()
    if not isinstance(found, nn.Module):
        raise InputError(f"'{path}' made a {type(found).__name__}; it makes an nn.Module")
    return found


def _in_file(path: Path, name: str) -> Any:
    if not path.is_file():
        raise InputError(f"cannot read {path}: there is no such file")
    folder = str(path.parent.resolve())
    if folder not in sys.path:
        sys.path.append(folder)  # what lies beside it can be imported
    known = f"judged_{path.stem}" if path.stem in sys.modules else path.stem
    spec = importlib.util.spec_from_file_location(known, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[known] = module  # dataclasses, and whoever asks for the source, look there
    with blamed(str(path)):
        spec.loader.exec_module(module)
    if not hasattr(module, name):
        own = [
            each for each, value in vars(module).items() if callable(value) or isinstance(value, nn.Module)
        ]
        raise InputError(f"{path} has no '{name}'; {did_you_mean(name, own)}")
    return getattr(module, name)


def _require_no_arguments(make: Any, path: str) -> None:
    try:
        needed = [
            parameter.name
            for parameter in inspect.signature(make).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
    except (TypeError, ValueError):
        return
    if needed:
        raise InputError(f"'{path}' needs {', '.join(needed)}; name a function that needs no argument")


def load_state(module: nn.Module, path: Path) -> None:
    """Load a ``state_dict`` into a network.

    Args:
        module: the network.
        path: ``.safetensors``, or what ``torch.save`` wrote: a state_dict, or a checkpoint that holds one.

    Raises:
        InputError: no such file, more than weights in it, or weights of another architecture.
    """
    stored = _state(path)
    own = module.state_dict()
    missing, unknown = (sorted(set(one) - set(other)) for one, other in ((own, stored), (stored, own)))
    shaped = [name for name in own if name in stored and stored[name].shape != own[name].shape]
    faults = [f"{name} is missing" for name in missing[:2]] + [f"{name} is unknown" for name in unknown[:2]]
    faults += [f"{name} is {tuple(stored[name].shape)}, not {tuple(own[name].shape)}" for name in shaped[:2]]
    if faults:
        raise InputError(
            f"{path} holds the weights of another network than {type(module).__name__}: {'; '.join(faults)}"
        )
    module.load_state_dict(stored)


def _state(path: Path) -> dict[str, torch.Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InputError(f"cannot read {path}: there is no such file") from error
    except Exception as error:  # safetensors and torch.load raise errors of many kinds
        told = " ".join(str(error).split())[:120]
        raise InputError(
            f"{path} holds no plain weights ({told}); save them by torch.save(net.state_dict(), ...)"
        ) from error
    inner = next((found[name] for name in WRAPPED if isinstance(found, dict) and name in found), found)
    if not isinstance(inner, dict) or not all(isinstance(value, torch.Tensor) for value in inner.values()):
        raise InputError(f"{path} holds no state_dict; save one by torch.save(net.state_dict(), ...)")
    return inner
