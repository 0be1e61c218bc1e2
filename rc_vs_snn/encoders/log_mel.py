"""Log-mel frames of audio."""

import math
from dataclasses import dataclass

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.mel import Mel, as_frames
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("log-mel")
@dataclass(frozen=True)
class LogMel:
    """The level of each mel band of audio, one frame per step.

    Step t is a frame of ``window_ms`` that ends at ``(t + 1) * hop_ms``: a decision at step t has heard that
    much and no more. The input is ``(level - centre_db) / unit_db``: constants, so it depends neither on what
    follows nor on other recordings. A recording has as many steps as it lasts; what goes on after ``n_steps``
    steps is cut there (told in a warning where more than 1 % are).

    Attributes:
        n_steps: number of time steps T.
        hop_ms: duration of a step.
        window_ms: duration of a frame (Hann window).
        n_mels: number of mel bands.
        f_min_hz: lower end of the lowest band.
        f_max_hz: upper end of the highest band; None: half the rate.
        floor_db: the level that is taken as silence, relative to a full-scale sine.
        centre_db: the level that becomes 0.
        unit_db: the difference of levels that becomes 1.
        past: how many earlier frames a step shows beside its own; before the beginning, silence.

    Raises:
        InputError: a field out of range.

    Source: Davis and Mermelstein 1980 (mel-spaced triangular bands), without their cosine transform.
    """

    n_steps: int = 100
    hop_ms: float = 10.0
    window_ms: float = 32.0
    n_mels: int = 32
    f_min_hz: float = 60.0
    f_max_hz: float | None = None
    floor_db: float = -90.0
    centre_db: float = -55.0
    unit_db: float = 15.0
    past: int = 0

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        self._mel()
        check_whole(self.past, "past", 0)
        if not (math.isfinite(self.centre_db) and 0 < self.unit_db < math.inf):
            raise InputError(
                "centre_db must be decibels and unit_db decibels above 0, got "
                f"{self.centre_db} and {self.unit_db}"
            )

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals as frames of layout ``(channel * (past + 1), n_mels)``; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals, have no rate, or one too low for these bands.
        """
        levels, n_channels = self._mel().levels(samples, "log-mel", self.n_steps)
        frames = [self._scaled(each) for each in levels]
        return as_frames(frames, self.n_steps, (n_channels * (self.past + 1), self.n_mels), self.hop_ms)

    def _scaled(self, levels: np.ndarray) -> np.ndarray:
        """Return the input of levels ``(steps, C)``, ``(steps, C * (past + 1))``, the oldest frame first."""
        padded = np.vstack([np.full((self.past, levels.shape[1]), self.floor_db, np.float32), levels])
        shown = [padded[begin : begin + len(levels)] for begin in range(self.past + 1)]
        return (np.hstack(shown) - np.float32(self.centre_db)) / np.float32(self.unit_db)

    def _mel(self) -> Mel:
        return Mel(
            self.window_ms, self.hop_ms, self.hop_ms, self.n_mels, self.f_min_hz, self.f_max_hz, self.floor_db
        )
