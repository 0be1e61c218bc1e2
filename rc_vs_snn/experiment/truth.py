"""The true labels of samples that somebody else's predictions are about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rc_vs_snn.checks import as_integers
from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError


@dataclass(frozen=True, eq=False)
class Truth:
    """True labels by sample.

    Attributes:
        labels: ``(N,)``.
        ids: ``(N,)``, unique.
        n_classes: number of classes K; None where only the labels are known.
    """

    labels: np.ndarray
    ids: np.ndarray
    n_classes: int | None = None

    @classmethod
    def of(cls, given: Any) -> "Truth | None":
        """Return what was given as labels: samples, a sequence of labels (ids 0..N-1), or None.

        Raises:
            InputError: no labels.
        """
        if given is None:
            return None
        if isinstance(given, Samples):
            return cls(given.labels, given.ids, given.n_classes)
        labels = as_integers(given, "labels")
        if len(labels) and labels.min() < 0:
            raise InputError(f"labels must be class indices from 0, got {labels.min()}")
        return cls(labels, np.arange(len(labels)))

    def order_of(self, ids: np.ndarray, place_of: Callable[[int], str]) -> np.ndarray:
        """Return where each sample is among some ids, ``(N,)``: predictions in the order of the labels.

        Args:
            ids: of the predictions, unique.
            place_of: what an error calls the entry of an id.

        Raises:
            InputError: an id that no label is of, or a sample that no prediction is of.
        """
        places = {int(each): place for place, each in enumerate(ids.tolist())}
        known = set(self.ids.tolist())
        unknown = [each for each in places if each not in known]
        if unknown:
            raise InputError(
                f"{place_of(places[unknown[0]])}: {unknown[0]} is none of the {len(known)} samples with a "
                "label; predictions must be about the samples of labels="
            )
        missing = [each for each in self.ids.tolist() if each not in places]
        if missing:
            raise InputError(
                f"there are {len(places)} predictions for {len(known)} samples; the first without one is id "
                f"{missing[0]}"
            )
        return np.array([places[each] for each in self.ids.tolist()], np.int64)
