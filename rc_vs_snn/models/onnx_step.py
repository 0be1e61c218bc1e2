"""The step of a model as an ONNX graph: input and state in; readout, evidence and state out.

The graph is what torch's exporter records of the model's own ``step``, in torch's arithmetic, in eval mode.
What is no tensor in a state (the number of the step) is in it as it was at the second step; whether that is
right is for a check against the model to find out.
"""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from rc_vs_snn.errors import InputError, blamed
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.state import State, mapped, named_tensors

if TYPE_CHECKING:
    import onnx

INPUT, READOUT, EVIDENCE = "input", "readout", "evidence"
OPSET = 18
IR_VERSION = 10
"""What onnxruntime 1.20, the oldest that the extra takes, reads."""
ROWS = 3

Read = Callable[[Tensor, tuple[Tensor, ...]], tuple[Tensor, tuple[Tensor, ...]]]


def need_onnx() -> None:
    """Raise InputError where what writes and runs ONNX files is not installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"to write ONNX files install what is missing ({error.name}): pip install 'rc_vs_snn[onnx]'"
        ) from error


@dataclass(frozen=True)
class StatePart:
    """One tensor of the state, outside the graph.

    Attributes:
        name: of the graph's input; that of the output has "next" for "state".
        shape: of one sample's.
        dtype: NumPy's name.
        start: its value before step 0: a number, or one for each entry as nested lists.
    """

    name: str
    shape: list[int]
    dtype: str
    start: Any


@dataclass(frozen=True)
class StepGraph:
    """A model's step.

    Attributes:
        graph: the ONNX model; its inputs are ``input (batch, channel)`` and the parts of the state, its
            outputs ``readout (batch, class)``, ``evidence`` if there is one, and the parts of the new state.
        state: the parts, in their order.
    """

    graph: "onnx.ModelProto"
    state: list[StatePart]


def step_graph(
    model: Model, n_channels: int, read: Read | None = None, kept: Mapping[str, int] | None = None
) -> StepGraph:
    """Return the graph of a model's step.

    Args:
        model: the classifier, an ``nn.Module``; it stays as it is.
        n_channels: number of channels C.
        read: makes the evidence of a readout; None for none in the graph.
        kept: width of each tensor that ``read`` keeps, zeros at first, by name.

    Raises:
        InputError: what it needs is not installed, or something in the model cannot be exported.
    """
    need_onnx()
    if not isinstance(model, nn.Module):
        raise InputError(f"only a step of torch modules can be exported, got {type(model).__name__}")
    net: Any = copy.deepcopy(model).eval().to("cpu")
    x = torch.ones(ROWS, n_channels)
    with torch.no_grad():
        with blamed(type(model).__name__):
            initial = net.initial_state(ROWS, "cpu")
            _, state = net.step(x, initial)
        parts = dict(_named(state))
        started = _started(parts, dict(_named(initial)))
        for name, width in (kept or {}).items():
            parts[f"evidence.{name}"] = started[f"evidence.{name}"] = torch.zeros(ROWS, width)
        graph = _exported(_Step(net, state, read, len(parts) - len(kept or {})), x, parts)
    _tidy(graph)
    return StepGraph(graph, [_part(name, part) for name, part in started.items()])


def _named(state: State) -> Iterator[tuple[str, Tensor]]:
    for path, part in named_tensors(state):
        yield ".".join(path).removeprefix("layers."), part


def _started(parts: Mapping[str, Tensor], initial: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return each part before step 0; zeros where the model makes them at step 0 itself."""
    alike = {
        name: name in initial and initial[name].shape == part.shape and initial[name].dtype == part.dtype
        for name, part in parts.items()
    }
    return {name: initial[name] if alike[name] else torch.zeros_like(part) for name, part in parts.items()}


def _part(name: str, start: Tensor) -> StatePart:
    rows = start.numpy()
    first = rows[0]
    if (rows != first).any():
        raise InputError(f"the initial state differs from sample to sample in {name}, which no file can hold")
    same = first.size and (first == first.flat[0]).all()
    value = first.flat[0].item() if same else first.tolist()
    return StatePart(f"state.{name}", list(first.shape), str(first.dtype), value)


class _Step(nn.Module):
    """A step whose state is a flat list of tensors."""

    def __init__(self, model: Any, state: State, read: Read | None, n_own: int) -> None:
        super().__init__()
        self.model, self.read, self.n_own = model, read, n_own
        self._state = state
        self.eval()

    def forward(self, x: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        """Return readout, evidence if there is one, and the new state."""
        own, kept = iter(given[: self.n_own]), given[self.n_own :]
        readout, state = self.model.step(x, mapped(self._state, lambda part: next(own)))
        new = [part for _, part in named_tensors(state)]
        if self.read is None:
            return (readout, *new)
        evidence, kept = self.read(readout, kept)
        return (readout, evidence, *new, *kept)


def _exported(step: _Step, x: Tensor, parts: Mapping[str, Tensor]) -> "onnx.ModelProto":
    said = [READOUT] if step.read is None else [READOUT, EVIDENCE]
    batch = {0: torch.export.Dim.DYNAMIC}
    try:
        with _silence():
            recorded = torch.export.export(
                step, (x, *parts.values()), dynamic_shapes=(batch, tuple(batch for _ in parts)), strict=False
            )
            program = torch.onnx.export(
                recorded, dynamo=True, verbose=False, opset_version=OPSET,
                input_names=[INPUT, *(f"state.{name}" for name in parts)],
                output_names=[*said, *(f"next.{name}" for name in parts)],
            )  # fmt: skip
    except Exception as error:  # of the exporter, of torch.export, of the model's own code
        raise InputError(_told(error, step.model)) from error
    if program is None:
        raise InputError("torch's exporter returned nothing; install a newer torch")
    graph: onnx.ModelProto = program.model_proto
    return graph


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let nobody read what torch's exporter says of itself; what matters of it, it raises."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _told(error: BaseException, model: nn.Module) -> str:
    """Return which layer could not be exported, and why, on one line."""
    names = {id(part): name for name, part in model.named_modules()}
    layer, node, first = "", "", error
    seen: BaseException | None = error
    while seen is not None:
        first = seen
        for frame, _ in walk_tb(seen.__traceback__):
            layer = names.get(id(frame.f_locals.get("self")), "") or layer
            node = _home_of(frame.f_locals.get("node")) or node
        seen = seen.__cause__ or seen.__context__
    where = layer or node
    what = f"{where} ({type(model.get_submodule(where)).__name__})" if where else type(model).__name__
    why = " ".join(str(first).split())[:200]
    return f"{what} cannot be written as ONNX: {type(first).__name__}: {why}"


def _home_of(node: Any) -> str:
    """Return the module that an operation of the recorded graph is of."""
    stack = getattr(node, "meta", {}).get("nn_module_stack") if isinstance(node, torch.fx.Node) else None
    paths: Sequence[str] = [path for path, _ in stack.values()] if stack else ()
    return paths[-1].removeprefix("model.") if paths else ""


def _tidy(graph: "onnx.ModelProto") -> None:
    """Name the batch axis, and leave out what the exporter notes of the machine it ran on."""
    graph.ir_version = min(graph.ir_version, IR_VERSION)
    for value in (*graph.graph.input, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    del graph.graph.value_info[:]
    noted = (*graph.graph.node, *graph.graph.initializer, *graph.graph.input, *graph.graph.output)
    for each in (graph, graph.graph, *noted):
        del each.metadata_props[:]
        each.doc_string = ""
