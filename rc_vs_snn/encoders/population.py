"""Population code of signals: overlapping receptive fields, the most excited neuron first."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders import signals
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("population")
@dataclass(frozen=True)
class Population:
    """Each channel's value excites neurons with Gaussian receptive fields; the more excited spike sooner.

        a_i = exp(-(x - mu_i)² / (2 sigma²)),   mu_i = low + (i - 1.5) (high - low) / (m - 2),  i = 1..m
        sigma = (high - low) / (beta (m - 2))

    Each window of samples (its mean is x) takes ``substeps`` steps of the code; neuron i spikes at step
    ``floor((1 - a_i) * substeps)`` of them, and not at all where ``a_i < silent_below``. A signal of L
    samples has ``ceil(L / window) * substeps`` steps and at most T: what lies behind is cut; more than 1 %
    of a set's signals cut is said in a warning.

    Attributes:
        n_steps: number of time steps T, a multiple of ``substeps``.
        neurons: receptive fields m per channel, at least 3.
        low: lower end of the range of values that the fields cover, in the signal's unit.
        high: upper end of it. Values outside excite the outermost neurons, and those far off none.
        beta: how narrow the fields are; 1 to 2.
        substeps: steps in which one window's spikes are spread; 1: who is excited spikes at once.
        silent_below: excitation below which a neuron stays silent, in [0, 1).
        window: signal samples per window.

    Raises:
        InputError: a field out of range.

    Source: Bohte, Kok and La Poutré, "Error-backpropagation in temporally encoded networks of spiking
        neurons", Neurocomputing 48, 2002 (there silent from 9 of 10 steps on, and one value per channel).
    """

    n_steps: int = 10
    neurons: int = 8
    low: float = -1.0
    high: float = 1.0
    beta: float = 1.5
    substeps: int = 1
    silent_below: float = 0.1
    window: int = 1

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        signals.check_window(self.window)
        check_whole(self.neurons, "neurons", 3)
        check_whole(self.substeps, "substeps", 1)
        if self.n_steps % self.substeps:
            raise InputError(f"n_steps={self.n_steps} must be a multiple of substeps={self.substeps}")
        if not -math.inf < self.low < self.high < math.inf:
            raise InputError(f"low must be below high, both finite, got {self.low} and {self.high}")
        if not 0 < self.beta < math.inf:
            raise InputError(f"beta must be above 0, got {self.beta}")
        if not 0 <= self.silent_below < 1:
            raise InputError(f"silent_below must lie in [0, 1), got {self.silent_below}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals of C channels as spikes of layout ``(C, neurons)``; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals.
        """
        samples = require_kind(samples, "signals", "population")
        n_windows = self.n_steps // self.substeps
        filled = signals.steps_of(samples, self.window, n_windows, "population")
        means = signals.window_means(samples, self.window, n_windows, filled)  # (windows, N, C)
        spacing = (self.high - self.low) / (self.neurons - 2)
        centres = self.low + (np.arange(1, self.neurons + 1) - 1.5) * spacing
        excitation = np.exp(-0.5 * ((means[..., None] - centres) / (spacing / self.beta)) ** 2)
        at = np.minimum(((1 - excitation) * self.substeps).astype(np.int64), self.substeps - 1)
        written = np.arange(n_windows)[:, None] < filled  # (windows, N)
        fires = (excitation >= self.silent_below) & written[..., None, None]
        spikes = (at[:, None] == np.arange(self.substeps)[:, None, None, None]) & fires[:, None]
        n_channels = means.shape[2]
        return Frames(
            torch.from_numpy(spikes.reshape(self.n_steps, len(samples), n_channels * self.neurons)),
            (n_channels, self.neurons),
            lengths=torch.from_numpy(filled * self.substeps),
            step_ms=signals.step_ms(samples, self.window / self.substeps),
        )
