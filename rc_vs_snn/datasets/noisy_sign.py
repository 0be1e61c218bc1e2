"""The sign of a small constant under noise: how long must one look?"""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.generated import generated_splits
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import sample_generators, seed_for


@datasets.register("noisy-sign")
def noisy_sign(
    root: Path | None = None,
    data_seed: int = 0,
    n_train: int = 20_000,
    n_valid: int = 2_000,
    n_test: int = 5_000,
    length: int = 40,
    signal: float = 0.05,
    noise_min: float = 0.05,
    noise_max: float = 0.25,
) -> Splits:
    """Toy sequences: the sign of a constant under Gaussian noise, whose strength varies by sequence.

        x[t] = ±signal + noise_std · N(0, 1),   noise_std ~ U(noise_min, noise_max)

    A good classifier decides later where the noise is stronger; see `noise_std`.

    Args:
        root: unused; the sequences are generated.
        data_seed: seed of the data, apart from a run's seed.
        n_train: training sequences.
        n_valid: validation sequences.
        n_test: test sequences.
        length: steps per sequence.
        signal: magnitude of the constant.
        noise_min: smallest standard deviation of the noise.
        noise_max: largest standard deviation of the noise.

    Returns:
        float32 signals ``(N, length, 1)``; class 1 is the positive sign.

    Raises:
        InputError: a length below 1, a number that is not finite, or noise bounds out of order.

    Source: the two-sequence problem of Jeffares et al., "Spike-inspired rank coding for fast and
        accurate recurrent neural networks", ICLR 2022, section 3.2. There a batch is drawn anew at every
        step of training; here the corpus is finite.
    """
    check_whole(length, "length", 1)
    if not math.isfinite(signal):
        raise InputError(f"signal must be finite, got {signal}")
    if not 0 <= noise_min <= noise_max < math.inf:
        raise InputError(f"noise must satisfy 0 <= noise_min <= noise_max, got {noise_min} and {noise_max}")

    def generate(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = np.empty((len(ids), length, 1), dtype=np.float32)
        labels = np.empty(len(ids), dtype=np.int64)
        for row, generator in enumerate(_generators(ids, data_seed)):
            std = _draw_std(generator, noise_min, noise_max)
            labels[row] = generator.integers(2)
            mean = signal if labels[row] else -signal
            values[row, :, 0] = generator.normal(mean, std, size=length)
        return values, labels

    return generated_splits(generate, n_train, n_valid, n_test, class_names=("negative", "positive"))


def noise_std(
    ids: np.ndarray, data_seed: int = 0, noise_min: float = 0.05, noise_max: float = 0.25
) -> np.ndarray:
    """Return the standard deviation of the noise in the sequences with these ids, ``(N,)``.

    Args:
        ids: sample ids, as in the corpus and in the records of a run.
        data_seed: the corpus's option of that name.
        noise_min: the corpus's option of that name.
        noise_max: the corpus's option of that name.
    """
    generators = _generators(ids, data_seed)
    return np.array([_draw_std(generator, noise_min, noise_max) for generator in generators])


def _generators(ids: np.ndarray, data_seed: int) -> Iterable[np.random.Generator]:
    return sample_generators(seed_for(data_seed, "data", "noisy-sign"), ids.tolist())


def _draw_std(generator: np.random.Generator, noise_min: float, noise_max: float) -> float:
    # The first draw of a sequence, so that it can be told without generating the rest.
    return generator.uniform(noise_min, noise_max)
