"""Any model one sample at a time, and what must hold before its decisions mean anything."""

import numpy as np
import torch
from torch import nn

from rc_vs_snn.decision.evidence import Evidence
from rc_vs_snn.decision.reading import Reader
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.one_sample import FAULT, Inputs, admit
from rc_vs_snn.kernels.rule import judge
from rc_vs_snn.models.interface import Model
from rc_vs_snn.models.state import State


def check_ready(model: Model) -> None:
    """Raise InputError if decisions would be random (dropout), as in training (batch statistics) or NaN."""
    if not isinstance(model, nn.Module):
        return
    reasons = [getattr(module, "only_in_training", "") for module in model.modules() if module.training]
    if any(reasons):
        raise InputError(
            f"the model is in training mode, where {next(filter(None, reasons))}; call model.eval() first"
        )
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            raise InputError(f"parameter {name} holds NaN or infinity: the model diverged; train it again")


class AnyModel:
    """Steps any model with a batch of one: the whole input at every step, whatever arrives.

    Args:
        model: the classifier, read at every step (not copied).
        evidence: what the rule reads.
        thresholds: the rule's threshold at every step, ``(T,)``.
        n_channels: number of channels C.
        hold: whether channels stay on.
    """

    def __init__(
        self, model: Model, evidence: Evidence, thresholds: np.ndarray, n_channels: int, hold: bool
    ) -> None:
        self._model, self._evidence, self._thresholds, self._hold = model, evidence, thresholds, hold
        parameter = next(model.parameters(), None) if isinstance(model, nn.Module) else None
        self._device = torch.device("cpu") if parameter is None else parameter.device
        self._inputs = Inputs.of(n_channels)
        self._state: State = None
        self._read = Reader(evidence)

    def __call__(
        self, events: np.ndarray, values: np.ndarray, count: int, plain: bool, step: int
    ) -> tuple[int, int, float]:
        """Advance one step; see ``one_sample.Advance``."""
        listed = admit(events, values, count, False, step, self._hold, *self._inputs)
        if listed < 0:
            return FAULT, -1 - listed, 0.0
        frame = np.zeros(len(self._inputs.on), np.float32)
        frame[self._inputs.source[:listed]] = self._inputs.level[1, :listed]
        x = torch.from_numpy(frame)[None].to(self._device, torch.get_default_dtype())  # (1, C)
        with torch.no_grad():
            if step == 0:
                self._read = Reader(self._evidence)
            state = self._model.initial_state(1, self._device) if step == 0 else self._state
            readout, self._state = self._model.step(x, state)
            evidence = self._read(readout)[0].cpu().numpy()  # (K,)
        label, spikes, best = judge(evidence, evidence.dtype.type(self._thresholds[step]))
        return label, spikes, float(best)
