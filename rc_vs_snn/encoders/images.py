"""What the image encoders share: flat pixels, a table for 8-bit pixels, and equal intensity bins."""

from functools import lru_cache
from typing import Literal, Protocol, get_args

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoders.protocol import require_kind
from rc_vs_snn.errors import InputError

Background = Literal["clip", "spike"]

# Above the rounding error of k/255 in float32 and far below 1/255: an 8-bit image and its float
# copy fall into the same bins.
ROUNDING = 1e-7


class PixelCode(Protocol):
    """A code of one pixel by its intensity alone; hashable, so its table is computed once."""

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the code of intensities in [0, 1]: their shape, perhaps behind a time axis."""
        ...

    def __hash__(self) -> int: ...


def check_background(background: str) -> None:
    """Raise InputError unless ``background`` is "clip" or "spike"."""
    if background not in get_args(Background):
        raise InputError(
            f"background must be 'clip' (never spikes) or 'spike' (at the last step), got {background!r}"
        )


def flat_pixels(samples: Samples, name: str) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the pixels of images as channels and the channels' layout.

    Args:
        samples: images ``(N, H, W)`` or ``(N, channel, H, W)``.
        name: the encoder's name, for the error.

    Returns:
        Pixels ``(B, C)``, uint8 or float, and the images' shape.

    Raises:
        InputError: the samples are not images.
    """
    require_kind(samples, "images", name)
    layout = samples.values.shape[1:]
    return samples.values.reshape(len(samples), int(np.prod(layout))), layout


def encode_pixels(encoder: PixelCode, pixels: np.ndarray) -> np.ndarray:
    """Return ``encoder.code`` of every pixel, ``(..., B, C)``; 8-bit pixels by table lookup."""
    if pixels.dtype == np.uint8:
        return _table(encoder).take(pixels, axis=-1)
    return encoder.code(pixels.astype(np.float64))


@lru_cache(maxsize=64)
def _table(encoder: PixelCode) -> np.ndarray:
    return encoder.code(np.arange(256) / 255)  # (..., 256)


def step_dtype(n_steps: int) -> type[np.integer]:
    """Return the type that holds the steps 0..``n_steps``: bytes for up to 255 steps."""
    return np.uint8 if n_steps <= 255 else np.int32


def latency_steps(intensity: np.ndarray, n_steps: int, background: Background) -> np.ndarray:
    """Return the spike step of each intensity: T equal bins over [0, 1], the brightest first.

    A bin is closed at its upper end, (k/T, (k+1)/T], as in the authors' sample code:
    ``step = T - ceil(intensity * T)``, and 0 belongs to the last step's bin. The 256 levels of 8-bit
    images are binned in whole numbers, exactly for every T.

    Args:
        intensity: any shape, in [0, 1].
        n_steps: number of time steps T.
        background: whether an intensity of exactly 0 never spikes ("clip") or spikes at the last
            step ("spike").

    Returns:
        Steps in ``[0, T]`` (T = never), the shape of ``intensity``.
    """
    level = np.rint(intensity * 255)
    is_level = np.abs(intensity - level / 255) < ROUNDING
    bins = np.ceil(np.where(is_level, level * n_steps / 255, (intensity - ROUNDING) * n_steps))
    steps = n_steps - np.maximum(bins, 1)
    if background == "clip":
        steps = np.where(intensity == 0, n_steps, steps)
    return steps.astype(step_dtype(n_steps))
