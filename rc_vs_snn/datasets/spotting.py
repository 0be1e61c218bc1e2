"""Random bits with or without a run of equal ones: the answer is known at one definite step."""

from pathlib import Path

import numpy as np

from rc_vs_snn import toys
from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import Splits
from rc_vs_snn.datasets.generated import generated_splits
from rc_vs_snn.registry import datasets
from rc_vs_snn.toys import ideal_step, run_end

__all__ = ["ideal_step", "run_end", "spotting"]


@datasets.register("spotting")
def spotting(
    root: Path | None = None,
    data_seed: int = 0,
    n_train: int = 20_000,
    n_valid: int = 2_000,
    n_test: int = 5_000,
    length: int = 25,
    run_length: int = 5,
) -> Splits:
    """Toy sequences: is there a run of five equal bits among 25 random ones?

    Present or absent, about 55 to 45 % with the default lengths. The ideal decision "present" comes at
    the last step of the first run; see `run_end`.

    Args:
        root: unused; the sequences are generated.
        data_seed: seed of the data, apart from a run's seed.
        n_train: training sequences.
        n_valid: validation sequences.
        n_test: test sequences.
        length: steps per sequence.
        run_length: equal bits, zeros or ones, that make a run.

    Returns:
        float32 signals 0.0 or 1.0, ``(N, length, 1)``; class 1 is "present".

    Raises:
        InputError: a length that is no whole number, or a run that does not fit into the sequence.

    Source: the sequence-spotting problem of Jeffares et al., "Spike-inspired rank coding for fast and
        accurate recurrent neural networks", ICLR 2022. There a batch is drawn anew at every step of
        training; here the corpus is finite.
    """
    check_whole(length, "length", 1)
    check_whole(run_length, "run_length", 1, length)

    def generate(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return toys.spotting(ids, data_seed, length, run_length)

    return generated_splits(generate, n_train, n_valid, n_test, class_names=("absent", "present"))
