"""Evidence of a model's readouts while it runs: torch in, torch out, by the arithmetic of stored traces."""

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.decision.evidence import (
    Evidence,
    Membrane,
    Probability,
    Sigmoid,
    State,
    evidence_of_trace,
    kept,
    named,
    one_step,
)


class Reader:
    """Makes the evidence of a batch as its steps go by.

    Args:
        evidence: what is to be made, or its name.
    """

    def __init__(self, evidence: str | Evidence) -> None:
        self._evidence = named(evidence)
        self._state: State = None

    def __call__(self, readout: Tensor) -> Tensor:
        """Return the evidence of the next step, ``(rows, K)``; half precision is read as float32.

        Args:
            readout: logits or membrane potentials of the rows that are left, ``(rows, K)``.
        """
        readout = _read(readout)
        if not readout.is_cpu and isinstance(self._evidence, Probability | Sigmoid | Membrane):
            return _on_device(readout, self._evidence)
        evidence, self._state = one_step(self._evidence, arrays(readout), self._state)
        return torch.from_numpy(np.ascontiguousarray(evidence)).to(readout.device)

    def keep(self, rows: Tensor) -> None:
        """Go on with the rows at ``rows`` (indices), in that order."""
        self._state = kept(self._state, rows.cpu().numpy())


def _on_device(readout: Tensor, evidence: Evidence) -> Tensor:
    """Return the evidence where the readout lies: to fetch it would take longer than to make it."""
    if isinstance(evidence, Membrane):
        return readout
    return readout.softmax(-1) if isinstance(evidence, Probability) else readout.sigmoid()


def evidence_of(readout: Tensor, evidence: str | Evidence) -> Tensor:
    """Return the evidence of readouts ``(..., K)`` that are each a sample's first step."""
    return Reader(evidence)(readout.reshape(-1, readout.shape[-1])).reshape(readout.shape)


def evidence_trace(
    readouts: Tensor, evidence: str | Evidence, lengths: Tensor | np.ndarray | None = None
) -> np.ndarray:
    """Return the evidence of a full pass ``(T, B, K)`` as the rule reads it, ``(B, T, K)``."""
    return evidence_of_trace(arrays(readouts.transpose(0, 1)), evidence, _array(lengths))


def arrays(readouts: Tensor) -> np.ndarray:
    """Return readouts as an array of the type that the rule reads."""
    return _read(readouts).contiguous().cpu().numpy()


def _read(readout: Tensor) -> Tensor:
    readout = readout.detach()
    return readout.float() if readout.itemsize < 4 else readout  # trained in bfloat16, read in float32


def _array(lengths: Tensor | np.ndarray | None) -> np.ndarray | None:
    return lengths.cpu().numpy() if isinstance(lengths, Tensor) else lengths
