"""Random affine and elastic deformation of images."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import InputError
from rc_vs_snn.registry import augmentations


@augmentations.register("affine")
@dataclass(frozen=True)
class Affine:
    """Rotate, scale, shear, shift, mirror and gently warp each image at random (bicubic, black border).

    Attributes:
        rotate_deg: largest rotation, degrees.
        scale: largest relative change of size, per axis.
        shear_deg: largest shear, degrees.
        shift_px: largest shift, pixels.
        elastic_px: standard deviation of a smooth random displacement, pixels; 0 for none.
        contrast: factor on the distance from mid-grey after resampling. Interpolation blurs, which
            would make every stroke spike later than a real one; 1.2 gives the intensity histogram
            of MNIST back (pixels of at least 0.9 per image: 69 before, 60 after resampling, 70
            with 1.2) on average, not image by image.
        mirror: share of images that are mirrored left to right, in [0, 1].
        keep_histogram: give every deformed image the intensities of its original by rank (exact
            histogram specification), so that as many pixels spike at each step as in its
            original, whatever the blur. ``contrast`` has no effect then.

    Raises:
        InputError: a negative field, or a scale of 1 or more.

    Source: Simard, Steinkraus and Platt 2003 (affine and elastic distortions of MNIST);
    Coltuc, Bolon and Chassery 2006 (exact histogram specification).
    """

    rotate_deg: float = 10.0
    scale: float = 0.1
    shear_deg: float = 5.0
    shift_px: float = 2.0
    elastic_px: float = 0.0
    contrast: float = 1.2
    mirror: float = 0.0
    keep_histogram: bool = False

    def __post_init__(self) -> None:
        negative = [name for name, value in vars(self).items() if not value >= 0]
        negative += [
            name for name, most in (("scale", 1 - 1e-9), ("mirror", 1)) if getattr(self, name) > most
        ]
        if negative:
            raise InputError(
                "augmentation 'affine': fields must be at least 0, scale below 1 and mirror at most 1; got "
                f"{', '.join(f'{name}={getattr(self, name)}' for name in negative)}"
            )

    def __call__(self, samples: Samples, generator: np.random.Generator) -> Samples:
        """Return deformed images of the same dtype.

        Args:
            samples: images ``(N, H, W)`` or ``(N, channel, H, W)``.
            generator: every random draw comes from it.

        Raises:
            InputError: the samples are not images.
        """
        if samples.kind != "images":
            raise InputError(f"augmentation 'affine' takes images, got {samples.kind}; choose 'none'")
        images = torch.from_numpy(samples.values).float()
        images = images.reshape(len(images), -1, *samples.values.shape[-2:])  # (N, channel, H, W)
        grid = functional.affine_grid(
            self._matrices(images, generator), list(images.shape), align_corners=False
        )
        if self.elastic_px:
            grid = grid + self._displacement(images, generator)
        moved = functional.grid_sample(images, grid, mode="bicubic", align_corners=False)
        white = 255.0 if samples.values.dtype == np.uint8 else 1.0
        if self.keep_histogram:
            moved = _with_intensities_of(images, moved)
        else:
            moved = ((moved - white / 2) * self.contrast + white / 2).clamp_(0, white)
        if samples.values.dtype == np.uint8:
            moved = moved.round_()
        return replace(
            samples, values=moved.reshape(samples.values.shape).numpy().astype(samples.values.dtype)
        )

    def _matrices(self, images: Tensor, generator: np.random.Generator) -> Tensor:
        """Return one 2x3 matrix per image, output to input coordinates in [-1, 1]."""
        n, _, height, width = images.shape

        def uniform(most: float) -> np.ndarray:
            return generator.uniform(-most, most, n)

        angle = np.radians(uniform(self.rotate_deg))
        shear = np.tan(np.radians(uniform(self.shear_deg)))
        zoom_x, zoom_y = 1 + uniform(self.scale), 1 + uniform(self.scale)
        cos, sin = np.cos(angle), np.sin(angle)
        matrices = np.empty((n, 2, 3))
        matrices[:, 0] = np.stack(
            [cos / zoom_x, (shear * cos - sin) / zoom_x, uniform(self.shift_px * 2 / width)], 1
        )
        matrices[:, 1] = np.stack(
            [sin / zoom_y, (shear * sin + cos) / zoom_y, uniform(self.shift_px * 2 / height)], 1
        )
        if self.mirror:
            matrices[generator.random(n) < self.mirror, 0] *= -1
        return torch.from_numpy(matrices).float()

    def _displacement(self, images: Tensor, generator: np.random.Generator) -> Tensor:
        """Return a smooth random displacement field, ``(N, H, W, 2)``, in grid units."""
        n, _, height, width = images.shape
        coarse = (n, 2, max(2, math.ceil(height / 6)), max(2, math.ceil(width / 6)))
        noise = torch.from_numpy(generator.standard_normal(coarse, dtype=np.float32))
        smooth = _bicubic(coarse[2], height).t() @ noise @ _bicubic(coarse[3], width)
        per_axis = torch.tensor([2 * self.elastic_px / width, 2 * self.elastic_px / height])
        return smooth.permute(0, 2, 3, 1) * per_axis


def _with_intensities_of(originals: Tensor, moved: Tensor) -> Tensor:
    """Return ``moved`` with the intensities of ``originals`` by rank, per image and channel.

    A pixel resampled to black stays black, so an original pushed partly out of sight fills nothing in.
    """
    ranked = originals.flatten(2).sort(2).values
    flat = moved.flatten(2)
    matched = torch.empty_like(flat).scatter_(2, flat.argsort(2), ranked)
    return torch.where(flat > 0, matched, 0.0).reshape(moved.shape)


@lru_cache(maxsize=8)
def _bicubic(coarse: int, fine: int) -> Tensor:
    """Return the matrix ``(coarse, fine)`` that interpolates along one axis: quicker than to do it anew."""
    eye = torch.eye(coarse).reshape(1, coarse, coarse, 1)
    return functional.interpolate(eye, size=(fine, 1), mode="bicubic", align_corners=True)[0, :, :, 0]
