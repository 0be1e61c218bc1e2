"""Signals as they are."""

import math
from dataclasses import dataclass

import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders import signals
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("raw")
@dataclass(frozen=True)
class Raw:
    """A signal's own samples as real-valued input, one sample or the mean of a window of them per step.

    A signal of L samples has ``ceil(L / window)`` steps, its last window being perhaps shorter, and at most
    T: what lies behind ``T * window`` samples is cut. More than 1 % of a set's signals cut is said in a
    warning.

    Attributes:
        n_steps: number of time steps T, the most that a signal has.
        window: signal samples per step.
        scale: factor on the values, above 0; networks learn best from values about 1 in size.

    Raises:
        InputError: a field out of range.

    Source: the raw input of the toy problems of Jeffares et al., ICLR 2022.
    """

    n_steps: int = 10
    window: int = 1
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        signals.check_window(self.window)
        if not 0 < self.scale < math.inf:
            raise InputError(f"scale must be above 0, got {self.scale}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals of C channels as frames of layout ``(C,)``; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals.
        """
        samples = require_kind(samples, "signals", "raw")
        filled = signals.steps_of(samples, self.window, self.n_steps, "raw")
        means = signals.window_means(samples, self.window, self.n_steps, filled) * self.scale
        return Frames(
            torch.from_numpy(means), (means.shape[2],),
            lengths=torch.from_numpy(filled), step_ms=signals.step_ms(samples, self.window),
        )  # fmt: skip
