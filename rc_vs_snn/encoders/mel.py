"""The mel front end that all audio encoders share: levels in dB per band, computed once per recording.

Nothing looks into the future: frame k is the stretch of audio that ends when its step does, and what is
before a recording's beginning counts as silence. Levels are relative to full scale, so none depends on what
follows, nor on any other recording.
"""

import math
import warnings
from dataclasses import dataclass
from functools import lru_cache, partial
from weakref import WeakKeyDictionary

import numpy as np
import torch

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Samples, Unread
from rc_vs_snn.encoded import Frames
from rc_vs_snn.encoders import signals
from rc_vs_snn.encoders.mel_cache import CACHE
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError

SHARE_TOLD = 0.01
"""The share of recordings cut at the last step above which a warning says so."""


@dataclass(frozen=True)
class Mel:
    """Level of each mel band in each frame of a recording.

    Attributes:
        window_ms: duration of a frame (Hann window).
        hop_ms: from one frame to the next.
        first_ms: where the first frame ends.
        n_mels: number of bands, triangles that are equally wide on the mel scale.
        f_min_hz: lower end of the lowest band.
        f_max_hz: upper end of the highest band; None: half the rate.
        floor_db: the level, relative to a full-scale sine, that is taken as silence.

    Raises:
        InputError: a field out of range.
    """

    window_ms: float
    hop_ms: float
    first_ms: float
    n_mels: int
    f_min_hz: float
    f_max_hz: float | None
    floor_db: float

    def __post_init__(self) -> None:
        check_whole(self.n_mels, "n_mels", 1)
        for name in ("window_ms", "hop_ms", "first_ms"):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} must be milliseconds above 0, got {getattr(self, name)}")
        if not -300 <= self.floor_db < 0:
            raise InputError(f"floor_db must lie from -300 to below 0, got {self.floor_db}")
        if not 0 <= self.f_min_hz < (math.inf if self.f_max_hz is None else self.f_max_hz):
            raise InputError(f"0 <= f_min_hz < f_max_hz must hold, got {self.f_min_hz} and {self.f_max_hz}")

    def levels(self, samples: Samples, name: str, most: int) -> tuple[list[np.ndarray], int]:
        """Return the levels of each recording, ``(frames, channel * n_mels)``, and the number of channels.

        Levels are in dB, 0 for a full-scale sine, and ``floor_db`` where they would be lower. A recording
        has frames up to its end (a last one may reach beyond it, into silence), at most ``most`` of them.

        Args:
            samples: signals whose sensor tells their rate.
            name: the encoder's name, for errors.
            most: largest number of frames.

        Raises:
            InputError: no signals, of an unknown rate, or bands that the frames cannot resolve.
        """
        rate_hz = samples.sensor.rate_hz
        samples = require_kind(samples, "signals", name)
        if rate_hz is None:
            raise InputError(
                f"encoder '{name}' must know how many samples a second has; give the samples a "
                "Sensor(rate_hz=...)"
            )
        self._tell_cut(samples, rate_hz, most)
        values, how = samples.values, (self, float(rate_hz))
        levels = [CACHE.get(how, signal, partial(self._frames, signal, rate_hz))[:most] for signal in values]
        return levels, signals.n_channels(samples)

    def n_frames(self, n_samples: int, rate_hz: float) -> int:
        """Return how many frames a recording has."""
        beyond = n_samples - self.first_ms * rate_hz / 1000
        return 1 + max(0, math.ceil(beyond / (self.hop_ms * rate_hz / 1000) - 1e-9))

    def _frames(self, signal: np.ndarray, rate_hz: float) -> np.ndarray:
        size = round(self.window_ms * rate_hz / 1000)
        bands = filterbank(self, rate_hz)  # (bins, n_mels)
        values = signal / -float(np.iinfo(signal.dtype).min) if signal.dtype.kind == "i" else signal
        n_frames = self.n_frames(len(signal), rate_hz)
        ends = np.rint((self.first_ms + self.hop_ms * np.arange(n_frames)) * rate_hz / 1000).astype(np.int64)
        padded = np.zeros((size + max(len(signal), ends[-1]), signal.shape[1]), np.float32)
        padded[size : size + len(signal)] = values
        frames = padded[ends[:, None] + np.arange(size)]  # (frames, size, channel), which end at `ends`
        window = np.hanning(size + 1)[:-1].astype(np.float32)
        spectrum = np.fft.rfft(frames * (window / window.sum() * 2)[:, None], n=_n_fft(size), axis=1)
        power = np.moveaxis(np.square(np.abs(spectrum)), 1, 2) @ bands  # (frames, channel, n_mels)
        levels = 10 * np.log10(np.maximum(power, 10 ** (self.floor_db / 10)))
        return levels.reshape(n_frames, -1).astype(np.float32)

    def _tell_cut(self, samples: Samples, rate_hz: float, most: int) -> None:
        """Warn once of a set of samples of which many go on after the last step."""
        whole = samples.whole or samples
        seen = _TOLD.setdefault(whole, set())
        if (self, most) in seen:
            return
        seen.add((self, most))
        told = samples if isinstance(whole.values, Unread) else whole
        cut = sum(self.n_frames(len(signal), rate_hz) > most for signal in told.values)
        if cut > SHARE_TOLD * len(told):
            longest = max(len(signal) for signal in told.values) / rate_hz
            warnings.warn(
                f"{cut:,} of {len(told):,} recordings are cut at the last step (the longest lasts "
                f"{longest:.2f} s); raise the encoder's n_steps or hop_ms to hear them to their end",
                stacklevel=4,
            )


def as_frames(codes: list[np.ndarray], n_steps: int, layout: tuple[int, ...], step_ms: float) -> Frames:
    """Return codes ``(steps_i, C)`` of B recordings as frames, each of its own length."""
    dtype = codes[0].dtype if codes else np.dtype(np.float32)
    values = np.zeros((n_steps, len(codes), math.prod(layout)), dtype)
    for row, code in enumerate(codes):
        values[: len(code), row] = code
    lengths = torch.tensor([len(code) for code in codes], dtype=torch.int64)
    return Frames(torch.from_numpy(values), layout, lengths=lengths, step_ms=step_ms)


def _n_fft(size: int) -> int:
    return 1 << (size - 1).bit_length()


@lru_cache(maxsize=32)
def filterbank(mel: Mel, rate_hz: float) -> np.ndarray:
    """Return the weight of each frequency in each band, ``(bins, n_mels)``, triangles of height 1.

    The scale is 2595 log10(1 + f / 700).

    Raises:
        InputError: a band between two frequencies of the spectrum, or above half the rate.
    """
    top = rate_hz / 2 if mel.f_max_hz is None else mel.f_max_hz
    if top > rate_hz / 2 or mel.f_min_hz >= top:
        raise InputError(
            f"bands from {mel.f_min_hz:g} to {top:g} Hz need more than {rate_hz:g} samples per second; "
            "lower f_min_hz or f_max_hz"
        )
    size = round(mel.window_ms * rate_hz / 1000)
    if size < 2:
        raise InputError(f"window_ms={mel.window_ms:g} holds {size} samples at {rate_hz:g} Hz; raise it")
    bins = np.fft.rfftfreq(_n_fft(size), 1 / rate_hz)
    low, high = (2595 * math.log10(1 + end / 700) for end in (mel.f_min_hz, top))
    edges = 700 * (10 ** (np.linspace(low, high, mel.n_mels + 2) / 2595) - 1)
    rising = (bins[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins[:, None]) / (edges[2:] - edges[1:-1])
    bands = np.maximum(0, np.minimum(rising, falling))
    if not bands.any(axis=0).all():
        raise InputError(
            f"window_ms={mel.window_ms:g} at {rate_hz:g} Hz cannot tell n_mels={mel.n_mels} bands apart; "
            "raise window_ms or lower n_mels"
        )
    return bands.astype(np.float32)


_TOLD: WeakKeyDictionary[Samples, set[tuple[Mel, int]]] = WeakKeyDictionary()
