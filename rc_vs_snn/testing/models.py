"""What every model must do."""

import copy
from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor, nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.models.cost import counter_of
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.state import State, mapped, select, tensors
from rc_vs_snn.testing.promise import require
from rc_vs_snn.testing.training import check_training


def check_model(build: Callable[..., Any], *, layout: tuple[int, ...] = (6,), n_classes: int = 3) -> None:
    """Check that a model keeps its state outside and treats every row on its own.

    The state is a nest of tensors, the batch first; a step changes neither its arguments nor the
    module; a row's readout does not depend on the other rows; gradients reach every parameter;
    train and eval mode run; operations, if the model counts them, are counted per row; it trains for an
    epoch with every option of ``Training``.

    Args:
        build: ``build(layout=..., n_classes=...)`` returns an ``nn.Module`` that is a
            ``rc_vs_snn.models.Model``.
        layout: shape of the input channels.
        n_classes: number of classes K.

    Raises:
        AssertionError: the first broken promise.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build(layout=layout, n_classes=n_classes)
        require_model(model)
        inputs = torch.randint(0, 2, (6, 5, int(np.prod(layout)))).to(torch.get_default_dtype())  # (T, B, C)
        model.eval()
        _check_state(model, inputs, n_classes)
        _check_nothing_kept(model, model, inputs)
        _check_stateless(model, inputs)
        _check_independent_rows(model, inputs)
        _check_operations(model, inputs)
        model.train()
        _check_gradients(model, inputs)
        check_training(lambda: build(layout=layout, n_classes=n_classes), layout, n_classes)


def require_model(model: Any) -> None:
    """Raise AssertionError unless a model has what every model has."""
    require(isinstance(model, nn.Module), f"a model must be an nn.Module, got {type(model).__name__}")
    require(
        getattr(model, "evidence", None) in get_args(EvidenceKind),
        "a model's attribute `evidence` must be 'probability' (softmax of the readout decides) or "
        f"'membrane' (the readout itself), got {getattr(model, 'evidence', None)!r}",
    )
    for name in ("initial_state(batch, device)", "step(x, state)"):
        method = getattr(model, name.partition("(")[0], None)
        require(callable(method), f"a model has a method {name}, see rc_vs_snn.models.Model; got {method!r}")


def check_steps(model: Any, inputs: Tensor, n_classes: int) -> None:
    """Check a model's first steps in eval mode, without gradients, and leave it as it was.

    Args:
        model: see ``check_model``.
        inputs: what it reads, ``(T, B, C)``.
        n_classes: number of classes K.

    Raises:
        AssertionError: the first broken promise.
    """
    require_model(model)
    training = model.training
    model.eval()
    try:
        _check_state(model, inputs, n_classes, finite=False)  # what diverges is a failed run, with its record
        _check_nothing_kept(model, model, inputs)
        if inputs.is_cpu:  # elsewhere the same sum may be rounded another way each time
            _check_stateless(model, inputs)
    finally:
        model.train(training)


def _run(model: Model, inputs: Tensor) -> tuple[Tensor, list[State]]:
    """Return the readouts ``(T, B, K)`` and the T + 1 states."""
    states: list[State] = [model.initial_state(inputs.shape[1], inputs.device)]
    readouts = []
    for x in inputs:
        readout, state = model.step(x, states[-1])
        readouts.append(readout)
        states.append(state)
    return torch.stack(readouts), states


def _check_state(model: Model, inputs: Tensor, n_classes: int, *, finite: bool = True) -> None:
    n_rows = inputs.shape[1]
    state = model.initial_state(n_rows, inputs.device)
    _check_form(state, n_rows, "initial_state")
    for step, x in enumerate(inputs):
        stepped: Any = model.step(x, state)
        require(
            isinstance(stepped, tuple) and len(stepped) == 2 and isinstance(stepped[0], Tensor),
            f"step returns the readout, a tensor, and the new state; got {type(stepped).__name__}",
        )
        readout, state = stepped
        _check_form(state, n_rows, f"step {step}")
        require(
            tuple(readout.shape) == (n_rows, n_classes)
            and not (finite and bool((~torch.isfinite(readout)).any())),
            f"the readout of a step must be finite and of shape {(n_rows, n_classes)} (batch, class), got "
            f"{tuple(readout.shape)}",
        )


def _check_form(state: State, n_rows: int, source: str) -> None:
    parts = list(tensors(state))
    require(
        len(parts) > 0,
        f"the state must be a tuple of tensors, got {type(state).__name__} from {source} (a mapping or "
        "dataclass of tensors does too)",
    )
    require(
        all(part.ndim >= 1 and len(part) == n_rows for part in parts),
        f"every state tensor must have the batch ({n_rows}) first, so that decided rows can be dropped; got "
        f"{[tuple(part.shape) for part in parts]} from {source}",
    )


def _check_stateless(model: Model, inputs: Tensor) -> None:
    alone, _ = _run(model, inputs)
    state, others = model.initial_state(inputs.shape[1], inputs.device), model.initial_state(2, inputs.device)
    for step, x in enumerate(inputs):
        given = mapped(state, Tensor.clone)
        first, new = model.step(x, state)
        _, others = model.step(1 - x[:2], others)  # another batch, of another size, in between
        second, _ = model.step(x, state)
        require(
            all(_same(a, b) for a, b in zip(tensors(given), tensors(state), strict=True)),
            f"step {step} changed the state it was given in place; return new tensors",
        )
        require(
            _same(first, second) and _same(first, alone[step]),
            f"step {step} gave another readout when called again with the same arguments (another batch ran "
            "in between); keep nothing on the module: the whole state is passed in and returned",
        )
        state = new


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)


def _check_nothing_kept(module: nn.Module, model: Model, inputs: Tensor) -> None:
    before = copy.deepcopy(module.state_dict())
    _run(model, inputs)
    kept = [name for name, value in module.state_dict().items() if not torch.equal(value, before[name])]
    require(not kept, f"steps in eval mode changed {kept} on the module; pass the state and return it")


def _check_independent_rows(model: Model, inputs: Tensor) -> None:
    together, states = _run(model, inputs)
    for rows in ([0], [4], [3, 1]):
        apart, _ = _run(model, inputs[:, rows])
        require(
            torch.allclose(apart, together[:, rows], rtol=1e-4, atol=1e-5),
            f"rows {rows} get another readout on their own than in a batch of {inputs.shape[1]}; a row must "
            "not depend on others (batch statistics must be frozen in eval mode)",
        )
    rows = [2, 0]
    middle = len(inputs) // 2
    resumed, _ = model.step(inputs[middle][rows], select(states[middle], torch.tensor(rows)))
    require(
        torch.allclose(resumed, together[middle, rows], rtol=1e-4, atol=1e-5),
        f"after selecting rows {rows} of the state in the middle of a sequence, their readout changed; the "
        "first axis of every state tensor must be the batch",
    )


def _check_operations(model: Model, inputs: Tensor) -> None:
    count = counter_of(model, analogue=False)
    if count is None:
        return
    _, states = _run(model, inputs)
    first = torch.tensor([0])
    for step, x in enumerate(inputs):
        before, after = states[step], states[step + 1]
        together = count(x, before, after)
        alone = count(x[:1], select(before, first), select(after, first))
        for name in ("acs", "macs", "leaks"):
            counted = getattr(together, name)
            require(
                tuple(counted.shape) == (len(x),) and not bool((counted < 0).any()),
                f"operations must count {name} per row, none negative: shape ({len(x)},), "
                f"got {tuple(counted.shape)}",
            )
            require(
                torch.allclose(counted[:1], getattr(alone, name), equal_nan=True),
                f"a row's {name} at step {step} depend on the other rows",
            )


def _check_gradients(model: Any, inputs: Tensor) -> None:
    model.zero_grad()
    readouts, _ = _run(model, inputs)
    (readouts * torch.randn_like(readouts)).sum().backward()
    unreached = [
        name
        for name, weight in model.named_parameters()
        if weight.requires_grad and (weight.grad is None or not bool((weight.grad != 0).any()))
    ]
    require(
        not unreached,
        f"no gradient reaches {unreached} in {len(inputs)} steps; check for detached states, silent neurons "
        "(raise the weights' gain) or parameters that step() does not use",
    )
    broken = [
        name
        for name, weight in model.named_parameters()
        if weight.grad is not None and not bool(torch.isfinite(weight.grad).all())
    ]
    require(not broken, f"the gradients of {broken} hold NaN or infinity")
    model.zero_grad()
