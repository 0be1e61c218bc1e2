"""What the generated corpora share: ids, and splits that do not change with each other's size."""

from collections.abc import Callable

import numpy as np

from rc_vs_snn.checks import check_whole
from rc_vs_snn.contracts import SPLITS, Samples, Splits

# Ids of a split begin at its own million, so a sample keeps its id, and with it its values, whatever
# the sizes of the splits are.
ID_STRIDE = 1_000_000


def generated_splits(
    generate: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    n_train: int,
    n_valid: int,
    n_test: int,
    class_names: tuple[str, ...],
) -> Splits:
    """Build the three splits of a generated corpus.

    Args:
        generate: ids ``(N,)`` to values ``(N, length, channel)`` and labels ``(N,)``; a sample may
            depend on its own id only.
        n_train: training samples.
        n_valid: validation samples.
        n_test: test samples.
        class_names: names in label order.

    Raises:
        InputError: the size of a split is no whole number, 0 or too large.
    """
    splits = {}
    for index, (name, size) in enumerate(zip(SPLITS, (n_train, n_valid, n_test), strict=True)):
        check_whole(size, f"n_{name}", 1, ID_STRIDE)
        ids = index * ID_STRIDE + np.arange(size)
        values, labels = generate(ids)
        splits[name] = Samples(values, labels, ids, "signals", n_classes=len(class_names))
    return Splits(**splits, class_names=class_names)
