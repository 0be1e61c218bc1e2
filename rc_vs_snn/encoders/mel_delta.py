"""ON and OFF spikes of mel bands."""

import math
from dataclasses import dataclass

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.mel import Mel, as_frames
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders

# A move that falls short of the threshold by rounding alone still counts.
_ROUNDING = 1e-6


@encoders.register("mel-delta")
@dataclass(frozen=True)
class MelDelta:
    """An ON or OFF spike each time a mel band has risen or fallen by a threshold (send-on-delta).

    Frames are those of ``log-mel``: step t ends at ``(t + 1) * hop_ms`` and knows nothing later. Every band's
    reference starts at ``floor_db``, so a beginning shows how loud it is, and follows the band in whole
    thresholds; the input of a step is the number of thresholds that were crossed. A recording has as many
    steps as it lasts; what goes on after ``n_steps`` steps is cut there (told where more than 1 % are).

    Attributes:
        n_steps: number of time steps T.
        hop_ms: duration of a step.
        window_ms: duration of a frame (Hann window).
        n_mels: number of mel bands.
        f_min_hz: lower end of the lowest band.
        f_max_hz: upper end of the highest band; None: half the rate.
        floor_db: the level that is taken as silence, relative to a full-scale sine.
        threshold_db: the move that makes a spike.

    Raises:
        InputError: a field out of range.

    Source: Stewart et al. 2023, "Speech2Spikes" (10.1145/3584954.3584995): delta modulation of log-mel bands,
    ON and OFF apart. We depart from it in leaving out the bands' running sums, in starting from silence, and
    in counting every threshold that is crossed in a step.
    """

    n_steps: int = 100
    hop_ms: float = 10.0
    window_ms: float = 32.0
    n_mels: int = 32
    f_min_hz: float = 60.0
    f_max_hz: float | None = None
    floor_db: float = -90.0
    threshold_db: float = 6.0

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        self._mel()
        if not 0 < self.threshold_db < math.inf:
            raise InputError(f"threshold_db must be a number of decibels above 0, got {self.threshold_db}")

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals as counts of layout ``(channel, n_mels, 2)``: ON, OFF; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals, have no rate, or one too low for these bands.
        """
        levels, n_channels = self._mel().levels(samples, "mel-delta", self.n_steps)
        layout = (n_channels, self.n_mels, 2)
        return as_frames([self._crossings(each) for each in levels], self.n_steps, layout, self.hop_ms)

    def _crossings(self, levels: np.ndarray) -> np.ndarray:
        """Return ON and OFF counts ``(steps, C * 2)`` of levels ``(steps, C)``."""
        distance = (levels.astype(np.float64) - self.floor_db) / self.threshold_db  # in thresholds
        reference = np.zeros(levels.shape[1])
        counts = np.zeros((*levels.shape, 2), np.int32)
        for step, place in enumerate(distance):
            moved = np.trunc((place - reference) * (1 + _ROUNDING))
            reference += moved
            counts[step, :, 0], counts[step, :, 1] = np.maximum(moved, 0), np.maximum(-moved, 0)
        return counts.reshape(len(levels), -1)

    def _mel(self) -> Mel:
        return Mel(
            self.window_ms, self.hop_ms, self.hop_ms, self.n_mels, self.f_min_hz, self.f_max_hz, self.floor_db
        )
