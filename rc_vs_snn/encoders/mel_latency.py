"""Mel bands as spike times within each frame."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.mel import Mel, as_frames
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import encoders


@encoders.register("mel-latency")
@dataclass(frozen=True)
class MelLatency:
    """Each frame's mel bands as the times at which populations of neurons reach their threshold.

    A band's level, 0 at ``floor_db`` and 1 at full scale, drives ``fields`` neurons whose Gaussian receptive
    fields are centred evenly on [0, 1]; their width is the distance of two centres. The nearer the level to a
    centre, the sooner that neuron spikes: at substep ``floor((1 - response) * substeps)`` of the frame, once;
    a response below ``least`` never does. A step is one substep of ``hop_ms / substeps``. The frame that is
    told from step ``k * substeps`` on ends with that step, so that no spike comes before what it tells of. A
    recording has as many frames as it lasts; what goes on after ``n_steps`` steps is cut there (told in a
    warning where more than 1 % are).

    Attributes:
        n_steps: number of time steps T.
        hop_ms: from one frame to the next.
        window_ms: duration of a frame (Hann window).
        n_mels: number of mel bands.
        f_min_hz: lower end of the lowest band.
        f_max_hz: upper end of the highest band; None: half the rate.
        floor_db: the level that is taken as silence, relative to a full-scale sine.
        fields: neurons per band.
        substeps: steps per frame.
        least: the smallest response that makes a spike, in (0, 1).

    Raises:
        InputError: a field out of range.

    Source: Bohte, Kok and La Poutre 2002 (Gaussian receptive fields to spike times); Wu et al. 2018,
    "A biologically plausible speech recognition framework based on spiking neural networks" (latency within
    each frame of speech).
    """

    n_steps: int = 200
    hop_ms: float = 20.0
    window_ms: float = 32.0
    n_mels: int = 32
    f_min_hz: float = 60.0
    f_max_hz: float | None = None
    floor_db: float = -90.0
    fields: int = 6
    substeps: int = 4
    least: float = 0.3

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)
        check_whole(self.fields, "fields", 2)
        check_whole(self.substeps, "substeps", 1)
        if not 0 < self.least < 1:
            raise InputError(f"least must lie between 0 and 1, got {self.least}")
        self._mel()

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode signals as spikes of layout ``(channel, n_mels, fields)``; ``seed`` is not used.

        Raises:
            InputError: the samples are no signals, have no rate, or one too low for these bands.
        """
        n_frames = -(-self.n_steps // self.substeps)
        levels, n_channels = self._mel().levels(samples, "mel-latency", n_frames)
        layout = (n_channels, self.n_mels, self.fields)
        spikes = [self._spikes(each)[: self.n_steps] for each in levels]
        return as_frames(spikes, self.n_steps, layout, self.hop_ms / self.substeps)

    def _spikes(self, levels: np.ndarray) -> np.ndarray:
        """Return spikes ``(frames * substeps, C * fields)`` of levels ``(frames, C)``."""
        centres = np.linspace(0, 1, self.fields)
        level = np.clip(1 - levels[:, :, None] / self.floor_db, 0, 1)
        away = (level - centres) * (self.fields - 1)  # (frames, C, fields)
        response = np.exp(-np.square(away) / 2).reshape(len(levels), -1)
        when = np.minimum((1 - response) * self.substeps, self.substeps - 1).astype(np.int64)
        when[response < self.least] = self.substeps  # never
        spikes = when[:, None] == np.arange(self.substeps)[:, None]  # (frames, substeps, C * fields)
        return spikes.reshape(len(levels) * self.substeps, -1)

    def _mel(self) -> Mel:
        first_ms = self.hop_ms / self.substeps
        return Mel(
            self.window_ms, self.hop_ms, first_ms, self.n_mels, self.f_min_hz, self.f_max_hz, self.floor_db
        )
