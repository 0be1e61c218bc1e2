"""What every objective, metric and figure must do."""

import io
from collections.abc import Callable
from numbers import Real
from typing import Any

import matplotlib as mpl
import numpy as np
import torch

from rc_vs_snn.contracts import Decision, Trace
from rc_vs_snn.decision.metrics import Metric
from rc_vs_snn.decision.rules import FirstSpike, decide
from rc_vs_snn.encoded import SpikeTimes
from rc_vs_snn.models.rc_lstm import rc_lstm
from rc_vs_snn.testing.promise import require
from rc_vs_snn.training.objectives import Objective, objective_after


def check_objective(objective: Objective) -> None:
    """Check that an objective returns a loss with gradient and the rule's decisions, for one sample or many.

    Args:
        objective: the part.

    Raises:
        AssertionError: the first broken promise.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = rc_lstm((6,), 3, hidden=5)
        for rows in (1, 4):
            code = SpikeTimes(torch.randint(0, 6, (rows, 6)), 5, (6,))
            labels = torch.arange(rows) % 3
            model.zero_grad()
            given: Any = objective_after(objective, 0.5)(model, code, labels, FirstSpike(0.5))
            pair = isinstance(given, tuple) and len(given) == 2
            require(pair, f"an objective returns (loss, Decision), got {type(given).__name__}")
            loss, decision = given
            scalar = isinstance(loss, torch.Tensor) and loss.ndim == 0 and loss.requires_grad
            require(scalar, "the loss must be a scalar tensor with gradient")
            require(
                bool(torch.isfinite(loss)),
                f"the loss of untrained weights is {loss.item()}; it must be finite",
            )
            whole = isinstance(decision, Decision) and len(decision) == rows
            require(whole, "the second value must be a Decision with one entry per row, under the rule given")
            loss.backward()
            moved = [p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters()]
            require(any(moved), "no parameter received a gradient; make the loss of the model's readouts")


def check_metric(metric: Metric) -> None:
    """Check that a metric is one number, whatever the order of the samples, also where all are forced.

    Args:
        metric: the part.

    Raises:
        AssertionError: the first broken promise.
    """
    trace = _trace(40)
    for rule in (FirstSpike(0.6), FirstSpike(1.0)):
        decision = decide(trace.evidence, rule)
        value: Any = metric(trace, decision)
        number = isinstance(value, Real) and not isinstance(value, bool)
        require(number, f"a metric returns one number, got {value!r}")
        back = np.arange(40)[::-1]
        turned: Any = metric(trace.select(back), Decision(**{k: v[back] for k, v in vars(decision).items()}))
        same = bool(np.isclose(float(value), float(turned), equal_nan=True))
        require(same, f"the order of the samples changed the metric from {value} to {turned}")


def check_figure(figure: Any, groups: Any) -> None:
    """Check that a figure is drawn from nothing but its table, the same twice.

    Args:
        figure: the part.
        groups: groups of runs to draw, as from ``rc_vs_snn.analysis.groups.group_runs``.

    Raises:
        AssertionError: the first broken promise.
    """
    table = figure.table(groups)
    columns = getattr(table, "columns", None)
    require(columns is not None, f"table returns an analysis.columns.Table, got {type(table).__name__}")
    require(len(table) > 0, "the table of these runs is empty, so nothing of the figure can be checked")
    before = {name: values.copy() for name, values in table.columns.items()}
    drawn = [_svg(figure.draw, table) for _ in range(2)]
    require(drawn[0] == drawn[1], "drawing the same table twice gave two figures; seed every draw")
    unchanged = all(_same(before[name], values) for name, values in table.columns.items())
    require(unchanged, "draw changed its table; work on copies")


def _same(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _svg(draw: Callable[[Any], Any], table: Any) -> bytes:
    target = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "fixed"}):
        draw(table).savefig(target, format="svg", metadata={"Date": None})
    return target.getvalue()


def _trace(n: int) -> Trace:
    generator = np.random.default_rng(0)
    evidence = generator.dirichlet(np.ones(3), size=(n, 5)).astype(np.float32)
    costs = np.arange(1.0, 6.0) * np.ones((n, 1))
    return Trace(evidence, generator.integers(0, 3, n), np.arange(n), costs, costs, costs)
