"""What the rule compares with its threshold."""

import numpy as np
from torch import Tensor

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.kernels.elementwise import softmax


def evidence_of(readout: Tensor, kind: EvidenceKind) -> Tensor:
    """Return the evidence of a readout, ``(..., K)``.

    Args:
        readout: logits or membrane potentials, ``(..., K)``.
        kind: "probability": their softmax; "sigmoid": each class's own, as in the authors' sample code;
            "membrane": the potentials themselves.
    """
    if readout.itemsize < 4:  # training in bfloat16: the rule still reads float32
        readout = readout.float()
    if kind == "sigmoid":
        return readout.sigmoid()
    return readout if kind == "membrane" else softmax(readout)


def evidence_trace(readouts: Tensor, kind: EvidenceKind) -> np.ndarray:
    """Return the evidence of a full pass ``(T, B, K)`` as the rule reads it, ``(B, T, K)``."""
    return evidence_of(readouts.detach(), kind).transpose(0, 1).cpu().numpy()
