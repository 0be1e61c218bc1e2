"""Handwritten digits that come with scikit-learn: the default, since nothing has to be downloaded."""

from pathlib import Path

import numpy as np

from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.datasets.splitting import stratified_order
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for

N_VALID = 270  # 15 % of 1,797
N_TEST = 449  # 25 %


@datasets.register("digits")
def digits(root: Path | None = None, split_seed: int = 0) -> Splits:
    """Handwritten digits, 1,797 images of 8x8 pixels, embedded in scikit-learn.

    The corpus has no official split. Ours is random and stratified (1,078 / 270 / 449), and the same
    for every run unless ``split_seed`` is changed. A writer's digits are in all three splits.

    Args:
        root: unused; the images are in scikit-learn's own files.
        split_seed: seed of the split, apart from a run's seed.

    Returns:
        uint8 images ``(N, 8, 8)``, the original 0..16 scaled to 0..255; ids are the rows of
        ``load_digits``.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
        Learning Repository, 1998 (test part), as ``sklearn.datasets.load_digits`` returns it.
    """
    from sklearn.datasets import load_digits  # here, since it takes a second to import

    bunch = load_digits()
    images = np.round(bunch.images * 255 / 16).astype(np.uint8)  # (N, 8, 8)
    samples = Samples(images, bunch.target, np.arange(len(images)), "images", n_classes=10)
    order = stratified_order(samples.labels, generator_for(split_seed, "split", "digits"))
    return Splits(
        train=samples.select(np.sort(order[N_VALID + N_TEST :])),
        valid=samples.select(np.sort(order[:N_VALID])),
        test=samples.select(np.sort(order[N_VALID : N_VALID + N_TEST])),
        class_names=tuple(str(name) for name in bunch.target_names),
    )
