"""Send-on-delta code of signals."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders import signals
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
    the signal, so that reference and signal never part by a threshold (and hysteresis) or more.

    Without a window, the L samples of signals of one length are dealt to the T steps in order: step t covers
    the samples ``floor(t*L/T)`` up to, but without, ``floor((t+1)*L/T)``, and its input is the number of
    spikes in them. With a window, every step covers that many samples, in signals of any length: one of L
    samples has ``ceil(L / window)`` steps and at most T. What lies behind is cut; more than 1 % of a set's
    signals cut is said in a warning.

    Attributes:
        n_steps: number of time steps T; without a window at most L.
        threshold: the move that makes a spike, in the signal's unit, above 0.
        hysteresis: how much further than a threshold a signal must turn back to make the first spike against
            the direction of the last one, in the signal's unit; noise around a level then makes no pairs.
        window: signal samples per step; 0: all L are dealt to the T steps.

    Raises:
        InputError: a field out of range.

    Source: Miskowicz 2006, "Send-on-delta concept"; as in event cameras, a move of n thresholds
    between two samples makes n spikes, where send-on-delta proper sends one message with the value.
    """

    n_steps: int = 10
    threshold: float = 0.1
    hysteresis: float = 0.0
    window: int = 0

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        if not 0 < self.threshold < math.inf:
            raise InputError(f"threshold must be above 0, in the signal's unit, got {self.threshold}")
        if not 0 <= self.hysteresis < math.inf:
            raise InputError(f"hysteresis must be at least 0, in the signal's unit, got {self.hysteresis}")
        if self.window != 0:
            signals.check_window(self.window)

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals of C channels as counts of layout ``(C, 2)``: ON, OFF; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals; or, without a window, are of different lengths or
                shorter than T.
        """
        samples = require_kind(samples, "signals", "delta")
        n_samples, n_signals = len(samples), signals.n_channels(samples)
        step_of, filled, window = self._steps(samples)
        values, within = _padded(samples, len(step_of), n_signals)
        distance = (values - values[:, :1]) / self.threshold  # (N, L, C), in thresholds
        reference = np.zeros((n_samples, n_signals))
        direction = np.zeros((n_samples, n_signals))  # of the last spike
        counts = np.zeros((self.n_steps, n_samples, n_signals, 2), np.int32)
        for index, step in enumerate(step_of):
            apart = (distance[:, index] - reference) * (1 + _ROUNDING)  # (N, C)
            moved = np.trunc(apart) * within[:, index, None]
            if self.hysteresis:
                turned = moved * direction < 0
                moved[turned & (np.abs(apart) < 1 + self.hysteresis / self.threshold)] = 0
                direction = np.where(moved, np.sign(moved), direction)
            reference += moved
            counts[step, :, :, 0] += np.maximum(moved, 0).astype(np.int32)
            counts[step, :, :, 1] += np.maximum(-moved, 0).astype(np.int32)
        frames = torch.from_numpy(counts).reshape(self.n_steps, n_samples, n_signals * 2)
        lengths = None if filled is None else torch.from_numpy(filled)
        return Frames(frames, (n_signals, 2), lengths=lengths, step_ms=signals.step_ms(samples, window))

    def _steps(self, samples: Samples) -> tuple[np.ndarray, np.ndarray | None, float]:
        """Return the step of every sample read, each signal's steps (None: T) and the samples per step."""
        if self.window:
            filled = signals.steps_of(samples, self.window, self.n_steps, "delta")
            longest = max(map(len, samples.values), default=1)
            n_read = min(longest, self.n_steps * self.window)
            return np.arange(n_read) // self.window, filled, self.window
        if samples.values.dtype == object:
            raise InputError(
                "encoder 'delta' deals the samples of signals of one length to its steps; for signals of "
                "different lengths set its window, the number of samples per step"
            )
        length = samples.values.shape[1]
        if length < self.n_steps:
            raise InputError(
                f"signals of {length} samples cannot fill n_steps={self.n_steps} steps, as each step covers "
                f"at least one sample; choose n_steps of at most {length}"
            )
        # Whole numbers throughout: no rounding can move a sample across a step's border.
        starts = np.arange(self.n_steps) * length // self.n_steps
        return np.searchsorted(starts, np.arange(length), side="right") - 1, None, length / self.n_steps


def _padded(samples: Samples, n_read: int, n_signals: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first samples of every signal, ``(N, n_read, C)``, and which of them there are."""
    if samples.values.dtype != object:
        values = samples.values[:, :n_read].astype(np.float64)
        return values, np.ones(values.shape[:2], bool)
    values = np.zeros((len(samples), n_read, n_signals))
    within = np.zeros((len(samples), n_read), bool)
    for row, signal in enumerate(samples.values):
        kept = signal[:n_read]
        values[row, : len(kept)] = kept
        within[row, : len(kept)] = True
    return values, within
