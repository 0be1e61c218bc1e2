"""The one interface of every model, and the cost of a layer in synaptic operations."""

from typing import Protocol

import torch
from torch import Tensor

from rc_vs_snn.models.arithmetic import softmax_rows
from rc_vs_snn.rules import EvidenceKind

State = tuple[Tensor, ...]


class Model(Protocol):
    """A temporal classifier whose state is passed in and returned, never kept on the module.

    Attributes:
        evidence: what the first-spike rule compares with its threshold: "probability" (softmax of
            the readout) or "membrane" (the readout is the output neurons' membrane potential).
    """

    evidence: EvidenceKind

    def initial_state(self, batch: int, device: torch.device | str) -> State:
        """Return the state before step 0: tensors with the batch first."""
        ...

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Advance one time step.

        Args:
            x: input at this step, ``(B, C)``.
            state: what the last step (or ``initial_state``) returned.

        Returns:
            The readout ``(B, K)`` (logits or membrane potentials) and the new state.
        """
        ...

    def operations(self, x: Tensor, before: State, after: State) -> tuple[Tensor, Tensor]:
        """Return the synaptic operations of one step, ``(acs, macs)``, each ``(B,)``.

        Args:
            x: the step's input, ``(B, C)``.
            before: the state given to ``step``.
            after: the state ``step`` returned.
        """
        ...


def evidence_of(readout: Tensor, kind: EvidenceKind) -> Tensor:
    """Return what the rule compares with its threshold, ``(..., K)``."""
    if readout.dtype == torch.bfloat16:  # training in bfloat16: the rule still reads float32
        readout = readout.float()
    if kind == "membrane":
        return readout
    differentiable = torch.is_grad_enabled() and readout.requires_grad
    if differentiable or readout.dtype != torch.float32 or readout.device.type != "cpu":
        return readout.softmax(-1)
    # The compiled runs judge by this function: the same decisions to the bit.
    logits = readout.detach().contiguous()
    probabilities = torch.empty_like(logits)
    n_classes = logits.shape[-1]
    softmax_rows(logits.view(-1, n_classes).numpy(), probabilities.view(-1, n_classes).numpy())
    return probabilities


def synaptic_operations(values: Tensor, fan_out: float) -> tuple[Tensor, Tensor]:
    """Count the synaptic operations that one layer's inputs cause.

    A spike costs its fan-out in accumulates (an integer count of n costs n of them); a real-valued
    input other than 0 costs its fan-out in multiply-accumulates.

    Args:
        values: what the layer receives, ``(B, n)``.
        fan_out: the number of synapses of each input.

    Returns:
        ``(acs, macs)``, each ``(B,)``.
    """
    whole = values == values.round()
    acs = torch.where(whole, values.abs(), 0).sum(1) * fan_out
    macs = (~whole).sum(1).to(values.dtype) * fan_out
    return acs, macs
