"""One sample's input over time as what a drawing needs: which channel gets what, at which step."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.encoded import Encoded, SpikeTimes


@dataclass(frozen=True, eq=False)
class OneCode:
    """The input of one sample.

    Attributes:
        values: ``(T, C)``, of its own T steps; of a code that holds its inputs, where they come on.
        layout: shape of the channels.
        pixels: whether the channels lie in rows and columns, as pixels do.
        analogue: whether inputs are real numbers, and not counts of spikes.
        hold: whether an input that has come on stays on.
        step_ms: how many milliseconds a step stands for, or None.
    """

    values: np.ndarray
    layout: tuple[int, ...]
    pixels: bool
    analogue: bool
    hold: bool
    step_ms: float | None

    @property
    def n_steps(self) -> int:
        """Return the sample's own number of steps T."""
        return len(self.values)

    def events(self) -> tuple[np.ndarray, np.ndarray]:
        """Return step and channel of every input that is not 0, in the order of steps."""
        steps, channels = np.nonzero(self.values)
        return steps, channels

    def n_events(self) -> np.ndarray:
        """Return how many inputs come at each step, ``(T,)``: a count of n is n, a real number one."""
        counts = (self.values != 0) if self.analogue else np.abs(self.values)
        return np.asarray(counts.sum(axis=1, dtype=np.int64))

    def at(self, step: int) -> np.ndarray:
        """Return the input in force at a step, ``(C,)``."""
        return self.values[: step + 1].sum(axis=0) if self.hold else self.values[step]

    def picture(self, values: np.ndarray) -> np.ndarray:
        """Return one number per channel as ``(H, W)``; polarities or colours are added up."""
        return values.reshape(-1, *self.layout[-2:]).sum(axis=0)

    def seen(self, until: int) -> np.ndarray:
        """Return what had come in by a step, ``(C,)`` in [0, 1]: of single spikes 1 for the earliest.

        Of a code with one spike per channel it falls with the step of the spike; of others it is the sum of
        what came, relative to the largest.
        """
        came = self.values[: until + 1]
        if not self.analogue and came.max(initial=0) <= 1 and (self.values.sum(axis=0) <= 1).all():
            first = 1 - 0.8 * came.argmax(axis=0) / self.n_steps
            return np.where(came.any(axis=0), first, 0.0)
        total = np.abs(came).sum(axis=0, dtype=np.float64)
        return total / max(float(total.max()), 1e-12)


def code_of(encoded: Encoded, row: int, kind: str) -> OneCode:
    """Return the code of one sample of a batch.

    Args:
        encoded: the batch.
        row: which of it.
        kind: of the samples: only the channels of images and events are pixels.
    """
    encoded = encoded.select([row]).to("cpu")
    end = int(np.asarray(encoded.last_steps()).reshape(-1)[0]) + 1
    if isinstance(encoded, SpikeTimes):
        steps = encoded.steps[0].numpy()
        values = (steps == np.arange(encoded.n_steps)[:, None]).astype(np.uint8)
    else:
        values = encoded.values[:, 0].numpy()
    hold = isinstance(encoded, SpikeTimes) and encoded.hold
    pixels = kind != "signals" and len(encoded.layout) > 1 and min(encoded.layout[-2:]) > 3
    return OneCode(values[:end], encoded.layout, pixels, encoded.analogue, hold, encoded.step_ms)
