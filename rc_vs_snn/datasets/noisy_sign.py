"""The sign of a small constant under noise: how long must one look?"""

import math
from pathlib import Path

import numpy as np

from rc_vs_snn import toys
from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.generated import generated_splits
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import datasets
from rc_vs_snn.toys import noise_std

__all__ = ["noise_std", "noisy_sign"]


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
        return toys.noisy_sign(ids, data_seed, length, signal, noise_min, noise_max)

    return generated_splits(generate, n_train, n_valid, n_test, class_names=("negative", "positive"))
