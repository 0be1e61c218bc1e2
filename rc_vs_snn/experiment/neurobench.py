"""NeuroBench's metrics under NeuroBench's names, as far as they can be computed honestly.

Names and definitions are those of NeuroBench 2.3 (its documentation of static and workload metrics). A metric
that cannot be computed is left out, and never estimated. A network is executed up to the decision and no
further, so operations and sparsity are those of the steps up to it.

Source: Yik et al. 2025, the NeuroBench framework, arXiv 2304.04640; neurobench.readthedocs.io.
"""

from typing import Any

import numpy as np
import torch
from torch import nn

from rc_vs_snn.contracts import Samples
from rc_vs_snn.models.adapters.counting import ACTIVATIONS, Effective, effective
from rc_vs_snn.models.adapters.stepping import Adapted
from rc_vs_snn.models.state import select
from rc_vs_snn.records import Result
from rc_vs_snn.training.task import Task

BATCH = 500


def neurobench(task: Task, test: Samples, outcome: Result) -> dict[str, Any]:
    """Return NeuroBench's metrics of a network that was judged.

    Args:
        task: its parts.
        test: the test split.
        outcome: what it came to, with its decisions and the metrics that need no further run.

    Returns:
        ``footprint`` (bytes of parameters and buffers), ``parameter_count``, ``connection_sparsity`` (share
        of weights that are 0), ``classification_accuracy``; and of an adapted network whose layers are all
        seen by hooks, ``activation_sparsity`` and ``synaptic_operations`` per sample (``Effective_MACs``,
        ``Effective_ACs``, ``Dense``).
    """
    found: dict[str, Any] = dict(outcome.metrics["neurobench"])
    if isinstance(task.model, Adapted) and not task.model.uncounted and outcome.judged is not None:
        found |= _executed(task, test, outcome.judged[1].step)
    return found


def static(model: nn.Module) -> dict[str, Any]:
    """Return the metrics that a network has without input."""
    tensors = [*model.parameters(), *model.buffers()]
    weights = [weight for weight in model.parameters() if weight.ndim > 1]
    n_weights = sum(weight.numel() for weight in weights)
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    return {
        "footprint": sum(each.numel() * each.element_size() for each in tensors),
        "parameter_count": sum(parameter.numel() for parameter in model.parameters()),
        "connection_sparsity": round(zeros / n_weights, 4) if n_weights else 0.0,
    }


@torch.no_grad()
def _executed(task: Task, test: Samples, decided_at: np.ndarray) -> dict[str, Any]:
    """Return the metrics of every sample's steps up to its decision."""
    model: Adapted = task.model
    neurons = [module for module, keeper in model.kept.values() if not keeper.by_argument]  # they spike
    neurons += [part for part in model.modules() if isinstance(part, ACTIVATIONS)]
    totals = dict.fromkeys(Effective._fields, 0.0)
    start = 0
    for encoded, _ in task.batches(test, np.arange(len(test)), BATCH, "test"):
        last = torch.from_numpy(decided_at[start : start + len(encoded)]).to(encoded.device)
        start += len(encoded)
        state = model.initial_state(len(encoded), encoded.device)
        for step in range(int(last.max()) + 1):
            going = (last >= step).nonzero().squeeze(1)
            if len(going) < len(last):
                last, encoded, state = last[going], encoded.select(going), select(state, going)
            x = encoded.at(step)
            _, state, watch = model.watched_step(x, state, neurons)
            for name, count in effective(watch, model.real, x)._asdict().items():
                totals[name] += float(count.double().sum())
    n = len(test)
    found: dict[str, Any] = {
        "synaptic_operations": {
            "Effective_MACs": totals["macs"] / n,
            "Effective_ACs": totals["acs"] / n,
            "Dense": totals["dense"] / n,
        }
    }
    if totals["activations"]:
        found["activation_sparsity"] = totals["silent"] / totals["activations"]
    return found
