"""One step in an ONNX file, of ours or of anybody's, behind our step interface."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.errors import InputError, did_you_mean, one_line
from rc_vs_snn.models.onnx_step import need_onnx

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DTYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
    "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int8)": "int8", "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}  # fmt: skip
OWN: dict[str, EvidenceKind] = {"Sigmoid()": "sigmoid", "Membrane()": "membrane"}
"""What a rule of ours compares with its threshold, as our files name it; all else is made of readouts."""


def session_of(content: bytes) -> "InferenceSession":
    """Return the step of an ONNX file, ready to run on as many threads as torch has."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


class OnnxStep(nn.Module):
    """A model whose step onnxruntime computes, on the CPU.

    The first input of the file is that of a step, ``(batch, ...)``; all others are the state, whose start a
    file of ours says and which else is zeros. Its first output is the readout ``(batch, class)``, its last
    ones are the new state in the order of the old. What its tensors hold counts as parameters; they stay as
    they are.

    For the arguments see ``from_onnx``.
    """

    def __init__(self, path: Path, evidence: str | None = None) -> None:
        super().__init__()
        need_onnx()
        if evidence is not None and evidence not in get_args(EvidenceKind):
            raise InputError(
                f"unknown evidence '{evidence}'; {did_you_mean(evidence, get_args(EvidenceKind))}"
            )
        import onnx

        try:
            content = path.read_bytes()
            graph = onnx.load_from_string(content).graph
            self._net = session_of(content)
        except Exception as error:  # of the file system, of protobuf and of onnxruntime
            raise InputError(f"{path} is no ONNX file that onnxruntime runs: {one_line(error)}") from error
        given, *kept = self._net.get_inputs()
        outputs = [each.name for each in self._net.get_outputs()]
        if len(outputs) <= len(kept):
            raise InputError(
                f"{path} has {len(kept)} inputs besides the first, its state, and {len(outputs)} outputs; "
                "the first output is the readout, the last ones are the new state"
            )
        told = self._net.get_modelmeta().custom_metadata_map
        own = OWN.get(told.get("evidence", ""), "probability")
        self.evidence: EvidenceKind = cast(EvidenceKind, evidence) if evidence else own
        self._input, self._dtype = given.name, DTYPES.get(given.type, "float32")
        self._shape = _sides(given, path)
        self.n_channels = math.prod(self._shape)
        self._wanted = [outputs[0], *outputs[len(outputs) - len(kept) :]]
        starts = {part["name"]: part["start"] for part in json.loads(told.get("state", "[]"))}
        self._kept = {
            each.name: (_sides(each, path), starts.get(each.name, 0), DTYPES.get(each.type, "float32"))
            for each in kept
        }
        arrays = [onnx.numpy_helper.to_array(each) for each in graph.initializer]
        numbers = [each for each in arrays if each.dtype.kind == "f" and each.size > 1]
        self.weights = nn.ParameterList(torch.tensor(each) for each in numbers)

    def initial_state(self, batch: int, device: torch.device | str) -> dict[str, Tensor]:
        """Return the state before step 0; see ``Model``."""
        return {
            name: torch.from_numpy(np.full((batch, *sides), start, dtype)).to(device)
            for name, (sides, start, dtype) in self._kept.items()
        }

    def step(self, x: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """Advance one time step; see ``Model``."""
        rows = x.detach().cpu().numpy().reshape(len(x), *self._shape).astype(self._dtype, copy=False)
        given = {name: part.detach().cpu().numpy() for name, part in state.items()}
        readout, *new = (
            torch.from_numpy(found).to(x.device)
            for found in self._net.run(self._wanted, {self._input: rows, **given})
        )
        return readout, dict(zip(state, new, strict=True))


def _sides(tensor: Any, path: Path) -> tuple[int, ...]:
    """Return the shape of one sample of an input."""
    sides = tensor.shape[1:]
    if not tensor.shape or not all(isinstance(side, int) for side in sides):
        raise InputError(
            f"{path}: input {tensor.name} has the shape {tensor.shape}; all sides but the batch's, which is "
            "the first, must be numbers"
        )
    return tuple(sides)
