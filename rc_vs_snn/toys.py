"""The two toy problems as formulas: sequences by their ids, and what a perfect observer would make of them.

The corpora of these names are made here, and figures that need to know what a sequence held make it again.

Every option has the name that it has in its corpus (`datasets.noisy_sign`, `datasets.spotting`).

Source: Jeffares et al., "Spike-inspired rank coding for fast and accurate recurrent neural networks",
ICLR 2022.
"""

from collections.abc import Iterable

import numpy as np

from rc_vs_snn.seeds import sample_generators, seed_for


def noisy_sign(
    ids: np.ndarray,
    data_seed: int = 0,
    length: int = 40,
    signal: float = 0.05,
    noise_min: float = 0.05,
    noise_max: float = 0.25,
) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences ``(N, length, 1)`` float32 and their classes ``(N,)``: 1 is the positive sign."""
    values = np.empty((len(ids), length, 1), dtype=np.float32)
    labels = np.empty(len(ids), dtype=np.int64)
    for row, generator in enumerate(_generators("noisy-sign", ids, data_seed)):
        std = _draw_std(generator, noise_min, noise_max)
        labels[row] = generator.integers(2)
        mean = signal if labels[row] else -signal
        values[row, :, 0] = generator.normal(mean, std, size=length)
    return values, labels


def noise_std(
    ids: np.ndarray, data_seed: int = 0, noise_min: float = 0.05, noise_max: float = 0.25
) -> np.ndarray:
    """Return the standard deviation of the noise in the sequences with these ids, ``(N,)``."""
    generators = _generators("noisy-sign", ids, data_seed)
    return np.array([_draw_std(generator, noise_min, noise_max) for generator in generators])


def spotting(
    ids: np.ndarray, data_seed: int = 0, length: int = 25, run_length: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of bits ``(N, length, 1)`` float32 and their classes ``(N,)``: 1 is "present"."""
    values = np.empty((len(ids), length, 1), dtype=np.float32)
    for row, generator in enumerate(_generators("spotting", ids, data_seed)):
        values[row, :, 0] = generator.integers(2, size=length)
    return values, (run_end(values, run_length) < length).astype(np.int64)


def run_end(values: np.ndarray, run_length: int = 5) -> np.ndarray:
    """Return the step at which the first run is complete, ``(N,)``; ``length`` where there is none.

    Args:
        values: the corpus's signals, ``(N, length, 1)``.
        run_length: the corpus's option of that name.
    """
    complete = _run_so_far(values) == run_length  # (N, length)
    return np.where(complete.any(axis=1), complete.argmax(axis=1), values.shape[1])


def ideal_step(values: np.ndarray, run_length: int = 5) -> np.ndarray:
    """Return the first step at which the answer is certain, ``(N,)``.

    "Present" is certain at `run_end`; "absent" where not even equal bits to the end would make a run.

    Args:
        values: the corpus's signals, ``(N, length, 1)``.
        run_length: the corpus's option of that name.
    """
    length = values.shape[1]
    hopeless = _run_so_far(values) + np.arange(length)[::-1] < run_length  # (N, length)
    never = np.where(hopeless.any(axis=1), hopeless.argmax(axis=1), length - 1)
    return np.minimum(run_end(values, run_length), never)


def _run_so_far(values: np.ndarray) -> np.ndarray:
    """Return the length of the run that ends at each step, ``(N, length)``."""
    n_samples, length, _ = values.shape
    runs = np.ones((n_samples, length), np.int64)
    for step in range(1, length):
        same = values[:, step, 0] == values[:, step - 1, 0]
        runs[:, step] = np.where(same, runs[:, step - 1] + 1, 1)
    return runs


def _generators(problem: str, ids: np.ndarray, data_seed: int) -> Iterable[np.random.Generator]:
    return sample_generators(seed_for(data_seed, "data", problem), ids.tolist())


def _draw_std(generator: np.random.Generator, noise_min: float, noise_max: float) -> float:
    # The first draw of a sequence, so that it can be told without generating the rest.
    return generator.uniform(noise_min, noise_max)
