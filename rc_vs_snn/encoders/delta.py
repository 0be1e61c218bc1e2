"""Send-on-delta code of signals."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders

# A move that falls short of the threshold by rounding alone (0.3 - 0.2 against 0.1) still counts.
_ROUNDING = 1e-6


@encoders.register("delta")
@dataclass(frozen=True)
class Delta:
    """An ON or OFF spike each time a signal has risen or fallen by a threshold (send-on-delta).

    The reference starts at the signal's first sample; every spike moves it by one threshold towards
    the signal, so that reference and signal never part by a threshold or more. The L signal samples
    are dealt to the T steps in order: step t covers the samples ``floor(t*L/T)`` up to, but without,
    ``floor((t+1)*L/T)``, and its input is the number of spikes in them.

    Attributes:
        n_steps: number of time steps T, at most L.
        threshold: the move that makes a spike, in the signal's unit, above 0.

    Raises:
        InputError: a field out of range.

    Source: Miskowicz 2006, "Send-on-delta concept"; as in event cameras, a move of n thresholds
    between two samples makes n spikes, where send-on-delta proper sends one message with the value.
    """

    n_steps: int = 10
    threshold: float = 0.1

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        if not 0 < self.threshold < math.inf:
            raise InputError(f"threshold must be above 0, in the signal's unit, got {self.threshold}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals ``(N, L, C)`` as counts of layout ``(C, 2)``: ON, OFF; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals, or are shorter than T.
        """
        samples = require_kind(samples, "signals", "delta")
        n_samples, length, n_signals = samples.values.shape
        if length < self.n_steps:
            raise InputError(
                f"signals of {length} samples cannot fill n_steps={self.n_steps} steps, as each step covers "
                f"at least one sample; choose n_steps of at most {length}"
            )
        values = samples.values.astype(np.float64)
        distance = (values - values[:, :1]) / self.threshold  # (N, L, C), in thresholds
        reference = np.zeros((n_samples, n_signals))
        counts = np.zeros((self.n_steps, n_samples, n_signals, 2), np.int32)
        for index, step in enumerate(self._step_of(length)):
            moved = np.trunc((distance[:, index] - reference) * (1 + _ROUNDING))  # (N, C)
            reference += moved
            counts[step, :, :, 0] += np.maximum(moved, 0).astype(np.int32)
            counts[step, :, :, 1] += np.maximum(-moved, 0).astype(np.int32)
        frames = torch.from_numpy(counts).reshape(self.n_steps, n_samples, n_signals * 2)
        return Frames(frames, (n_signals, 2))

    def _step_of(self, length: int) -> np.ndarray:
        # Whole numbers throughout: no rounding can move a sample across a step's border.
        starts = np.arange(self.n_steps) * length // self.n_steps
        return np.searchsorted(starts, np.arange(length), side="right") - 1
