"""What every dataset must do."""

from collections.abc import Callable

import numpy as np

from rc_vs_snn.contracts import SPLITS, Samples, Splits
from rc_vs_snn.testing.promise import require


def check_dataset(splits: Splits, load: Callable[[], Splits] | None = None) -> None:
    """Check that a dataset's splits can be trained and judged on.

    The splits are disjoint by id, of one kind and shape; labels are in range and every class is in
    the training split; loading twice gives the same samples in the same order.

    Args:
        splits: the loaded dataset.
        load: loads it again, to check that loading is deterministic. None: not checked.

    Raises:
        AssertionError: the first broken promise.
    """
    require(isinstance(splits, Splits), f"a dataset returns Splits, got {type(splits).__name__}")
    parts = {name: getattr(splits, name) for name in SPLITS}
    ids = np.concatenate([part.ids for part in parts.values()])
    require(len(np.unique(ids)) == len(ids), "a sample id is in two splits; give every sample its own id")
    require(len(set(splits.class_names)) == splits.n_classes, f"class names repeat: {splits.class_names}")
    shapes = {name: (part.kind, _shape(part)) for name, part in parts.items()}
    require(len(set(shapes.values())) == 1, f"the splits differ in kind or shape: {shapes}")
    for name, part in parts.items():
        in_range = bool(((part.labels >= 0) & (part.labels < splits.n_classes)).all())
        require(in_range, f"the {name} split has a label outside 0..{splits.n_classes - 1}")
    missing = sorted(set(range(splits.n_classes)) - set(splits.train.labels.tolist()))
    require(not missing, f"classes {missing} are not in the training split; stratify the split, or drop them")
    if load is not None:
        again = load()
        for name, part in parts.items():
            require(
                _same_samples(part, getattr(again, name)),
                f"loading twice gave two different {name} splits; sort the files and seed every draw",
            )


def _shape(part: Samples) -> tuple[int, ...]:
    """Return what all samples of a corpus have in common: signals their channels, recordings nothing."""
    shape = part.select(slice(0, 1)).read().values[0].shape
    return shape if part.kind == "images" else shape[1:]


def _same_samples(one: Samples, other: Samples) -> bool:
    if not (np.array_equal(one.ids, other.ids) and np.array_equal(one.labels, other.labels)):
        return False
    for row in range(len(one)):  # one by one: they may not fit into memory
        a, b = (each.select(slice(row, row + 1)).read().values[0] for each in (one, other))
        if not np.array_equal(a, b):
            return False
    return True
