"""Direct code: the analogue image at every step."""

from dataclasses import dataclass

import numpy as np
import torch

from rc_vs_snn.contracts import Samples
from rc_vs_snn.encoded import Frames, check_n_steps
from rc_vs_snn.encoders.images import encode_pixels, flat_pixels
from rc_vs_snn.registry import encoders


@encoders.register("direct")
@dataclass(frozen=True)
class Direct:
    """The analogue image, repeated at every step; the first layer multiplies, its neurons make the spikes.

    Nothing new arrives after step 0: what later steps add is what the net's own dynamics make of the same
    currents.

    Attributes:
        n_steps: number of time steps T.

    Raises:
        InputError: a field out of range.

    Source: Rueckauer et al. 2017, Frontiers in Neuroscience 11:682 (analogue input currents); in the nets
    with early exits of Li et al. 2023, arXiv 2304.01230 (SEENN), and arXiv 2305.17346 (DT-SNN).
    """

    n_steps: int = 4

    def __post_init__(self) -> None:
        check_n_steps(self.n_steps)

    def __call__(self, samples: Samples, seed: int = 0) -> Frames:
        """Encode images; deterministic, so ``seed`` is not used."""
        pixels, layout = flat_pixels(samples, "direct")
        image = torch.from_numpy(encode_pixels(self, pixels))
        return Frames(image.expand(self.n_steps, -1, -1), layout)  # one image in memory

    def code(self, intensity: np.ndarray) -> np.ndarray:
        """Return the input of each intensity in [0, 1] at every step, of its shape."""
        return intensity.astype(np.float32)
