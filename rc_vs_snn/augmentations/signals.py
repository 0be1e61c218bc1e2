"""Random changes of signals."""

from dataclasses import dataclass, replace

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import augmentations


@augmentations.register("signals")
@dataclass(frozen=True)
class SignalChanges:
    """Stretch, shift, amplify, mask and add noise to each signal at random, in this order.

    All fields are 0 by default, which leaves a signal as it is. Every draw is uniform within its range.

    Attributes:
        stretch: largest relative change of duration, by linear interpolation (of sound, of pitch as well).
        shift: largest shift, as a share of the signal's length; it keeps its length, and its first or last
            value fills what is left open.
        gain_db: largest change of amplitude, decibels, up or down.
        time_mask: longest stretch that is replaced by 0, as a share of the length.
        channel_mask: probability of replacing a channel by 0; never all of them.
        noise: largest standard deviation of white noise, as a share of the signal's root mean square.

    Raises:
        InputError: a negative field, or a share or probability of 1 or more (``noise``: any size).

    Source: Ko et al. 2015 (changes of speed); Park et al. 2019 (masks of time and channel, there of
    spectrograms).
    """

    stretch: float = 0.0
    shift: float = 0.0
    gain_db: float = 0.0
    time_mask: float = 0.0
    channel_mask: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        wrong = [name for name, value in vars(self).items() if not 0 <= value < float("inf")]
        shares = ("stretch", "shift", "time_mask", "channel_mask")
        wrong += [name for name in shares if getattr(self, name) >= 1]
        if wrong:
            raise InputError(
                "augmentation 'signals': every field must be at least 0, and shares below 1, got "
                f"{', '.join(f'{name}={getattr(self, name)}' for name in wrong)}"
            )

    def __call__(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return changed signals, float32; their lengths differ where ``stretch`` is above 0.

        Args:
            samples: signals, whole numbers or floats.
            generator: every random draw comes from it.

        Raises:
            InputError: the samples are no signals.
        """
        if samples.kind != "signals":
            raise InputError(f"augmentation 'signals' takes signals, got {samples.kind}; choose 'none'")
        samples = samples.read()
        values = np.empty(len(samples), object)
        for row, signal in enumerate(samples.values):
            values[row] = self._changed(signal.astype(np.float32), generator)
        return replace(samples, values=values if len({len(each) for each in values}) > 1 else list(values))

    def _changed(self, signal: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        stretch, shift, gain, noise = draw.uniform(-1, 1, 4).tolist()
        mask, where = draw.uniform(0, 1, 2).tolist()
        if self.stretch:
            signal = _stretched(signal, 1 + self.stretch * stretch)
        length = len(signal)
        if self.shift:
            source = np.arange(length) - round(self.shift * shift * length)
            signal = signal[np.clip(source, 0, length - 1)]
        loudness = np.sqrt(np.mean(np.square(signal)))
        if self.gain_db:
            signal = signal * np.float32(10 ** (self.gain_db * gain / 20))
            loudness *= 10 ** (self.gain_db * gain / 20)
        if self.time_mask:
            masked = round(self.time_mask * mask * length)
            begin = round(where * (length - masked))
            signal = signal * (np.abs(np.arange(length) - begin - (masked - 1) / 2) > masked / 2)[:, None]
        if self.channel_mask:
            heard = np.asarray(draw.uniform(0, 1, signal.shape[1]) >= self.channel_mask)
            if not heard.any():
                heard[draw.integers(signal.shape[1])] = True
            signal = signal * heard
        if self.noise:
            level = self.noise * abs(noise) * loudness
            signal = signal + draw.standard_normal(signal.shape, np.float32) * np.float32(level)
        return signal.astype(np.float32, copy=False)


def _stretched(signal: np.ndarray, factor: float) -> np.ndarray:
    length = max(1, round(len(signal) * factor))
    places, known = np.linspace(0, len(signal) - 1, length), np.arange(len(signal))
    return np.stack([np.interp(places, known, channel) for channel in signal.T], 1).astype(np.float32)
