"""Networks made elsewhere behind our step interface; nothing about them is trained or changed."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError
from rc_vs_snn.models.adapters import norse, snntorch, spikingjelly, torch_rnn
from rc_vs_snn.models.adapters.checking import check_stepping, settle_counting
from rc_vs_snn.models.adapters.forms import Over, Time, find_form, shape_of_step
from rc_vs_snn.models.adapters.onnx_file import OnnxStep
from rc_vs_snn.models.adapters.stepping import Adapted, KeeperOf, kept_of

KEEPERS: dict[str, KeeperOf] = {
    "snnTorch": snntorch.keeper_of, "torch.nn": torch_rnn.keeper_of, "norse": norse.keeper_of,
    "SpikingJelly": spikingjelly.keeper_of,
}  # fmt: skip

MOST_CHECKED = 24
"""Steps of the example that are looked at: a network that returns one readout for all is run as often."""


def from_snntorch(
    net: nn.Module,
    example: Encoded,
    *,
    time: Time | None = None,
    shape: tuple[int, ...] | None = None,
    output: int = -1,
    over: Over = "each",
    evidence: EvidenceKind = "probability",
) -> Adapted:
    """Return a network of snnTorch neurons behind the ``Model`` interface.

    As in its tutorials: a loop over time in ``forward``, with states made there or hidden in the neurons;
    or an ``nn.Sequential`` with ``init_hidden=True``, whose forward is one step.

    Args:
        net: the network.
        example: a few samples, encoded as they will be judged; stepping is checked on them.
        time: what ``forward`` takes: "first" (T, B, ...), "second" (B, T, ...), "step" (B, ...) of one step,
            "held" (B, ...) that it repeats for all its steps. By default this is found by calling it.
        shape: shape of a sample at a step; by default what the first layer takes of the input's layout.
        output: which of several results is the readout; the last one, the membranes, by default.
        over: the readout is that of "each" step, or the "sum" (spike counts) or "mean" of all up to it.
        evidence: what the rule compares with its threshold, see ``Model``.

    Raises:
        InputError: no such neurons in it, it cannot be stepped, or stepping is not its own forward.
    """
    kept = _kept(net, ("snnTorch", "torch.nn"), "snnTorch")
    return _adapted(net, kept, example, time, shape, output, over, evidence)


def from_torch_rnn(
    module: nn.Module,
    example: Encoded,
    *,
    time: Time | None = None,
    shape: tuple[int, ...] | None = None,
    output: int = 0,
    over: Over = "each",
    evidence: EvidenceKind = "probability",
) -> Adapted:
    """Return a classifier around ``nn.LSTM``, ``nn.GRU``, ``nn.RNN`` or their cells behind ``Model``.

    Its head may be applied at every step, or to the last output or hidden state alone: the readout of a
    step is then what the network says of the input up to it. For the arguments see ``from_snntorch``.

    Raises:
        InputError: no such layer in it, a bidirectional one, or stepping is not its own forward.
    """
    kept = _kept(module, ("torch.nn",), "torch.nn")
    return _adapted(module, kept, example, time, shape, output, over, evidence)


def from_norse(
    net: nn.Module,
    example: Encoded,
    *,
    time: Time | None = None,
    shape: tuple[int, ...] | None = None,
    output: int = 0,
    over: Over = "each",
    evidence: EvidenceKind = "probability",
) -> Adapted:
    """Return a network of norse cells or layers behind ``Model``; see ``from_snntorch``.

    Raises:
        InputError: see there.
    """
    kept = _kept(net, ("norse", "torch.nn"), "norse")
    return _adapted(net, kept, example, time, shape, output, over, evidence)


def from_spikingjelly(
    net: nn.Module,
    example: Encoded,
    *,
    time: Time | None = None,
    shape: tuple[int, ...] | None = None,
    output: int = 0,
    over: Over = "each",
    evidence: EvidenceKind = "probability",
) -> Adapted:
    """Return a network of SpikingJelly neurons behind ``Model``; see ``from_snntorch``.

    Raises:
        InputError: see there.
    """
    kept = _kept(net, ("SpikingJelly", "torch.nn"), "SpikingJelly")
    return _adapted(net, kept, example, time, shape, output, over, evidence)


def from_onnx(path: Path | str, evidence: str | None = None) -> OnnxStep:
    """Return a step in an ONNX file, which onnxruntime runs on the CPU, behind ``Model``.

    Args:
        path: the file; for what its inputs and outputs must be see docs/take_a_net_elsewhere.md.
        evidence: what the rule compares with its threshold, see ``Model``; by default what a file of ours
            says, else "probability".

    Raises:
        InputError: the extra ``onnx`` is not installed, or the file is not like that.
    """
    return OnnxStep(Path(path), evidence)


ADAPTERS: dict[str, Callable[..., Adapted]] = {
    "snnTorch": from_snntorch, "norse": from_norse, "SpikingJelly": from_spikingjelly,
    "torch.nn": from_torch_rnn,
}  # fmt: skip


def adapter_for(module: nn.Module) -> Callable[..., Adapted]:
    """Return the adapter for a network, by what it is made of.

    Raises:
        InputError: nothing in it keeps a state that is known.
    """
    for library, adapter in ADAPTERS.items():
        if kept_of(module, [KEEPERS[library]]):
            return adapter
    raise InputError(
        f"{type(module).__name__} holds no module that is known to keep a state ({', '.join(KEEPERS)}); give "
        "it the methods initial_state(batch, device) and step(x, state), see rc_vs_snn.models.Model"
    )


def _kept(module: nn.Module, libraries: Sequence[str], needed: str) -> dict:
    if not isinstance(module, nn.Module):
        raise InputError(f"a network must be an nn.Module, got {type(module).__name__}")
    if not kept_of(module, [KEEPERS[needed]]):
        raise InputError(f"{type(module).__name__} holds nothing of {needed} that keeps a state")
    return kept_of(module, [KEEPERS[library] for library in libraries])


def _adapted(
    module: nn.Module, kept: dict, example: Encoded, time: Time | None, shape: tuple[int, ...] | None,
    output: int, over: Over, evidence: EvidenceKind,
) -> Adapted:  # fmt: skip
    device = next((weight.device for weight in module.parameters()), torch.device("cpu"))
    code = example.to(device)
    frames = torch.stack([code.at(step) for step in range(min(code.n_steps, MOST_CHECKED))])  # (T, B, C)
    shape = shape_of_step(module, code.layout, code.n_channels) if shape is None else tuple(shape)
    training = module.training
    module.eval()
    try:
        form = find_form(module, kept, _distinct(frames), time, shape, output, over)
        model = Adapted(module, kept, form, evidence)
        check_stepping(model, _distinct(frames))
        settle_counting(model, frames)
    finally:
        module.train(training)
    return model.train(training)


def _distinct(frames: Tensor) -> Tensor:
    """Return frames of another number of samples than of steps: neither is to be taken for the other."""
    n_steps, n_rows, _ = frames.shape
    return frames[:, : n_rows - 1] if n_steps == n_rows > 1 else frames
