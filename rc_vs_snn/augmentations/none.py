"""No augmentation."""

from dataclasses import dataclass

import numpy as np

from rc_vs_snn.contracts import Samples
from rc_vs_snn.registry import augmentations


@augmentations.register("none")
@dataclass(frozen=True)
class NoAugmentation:
    """Leave the training samples as they are (the default)."""

    def __call__(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return ``samples``."""
        return samples
