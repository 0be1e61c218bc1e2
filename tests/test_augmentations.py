"""Augmentation: seeded, in the intensity domain, and true to the images' statistics."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.augmentations import Affine, NoAugmentation
from rc_vs_snn.registry import augmentations, datasets


def images(values):
    values = np.asarray(values)
    return Samples(values, np.zeros(len(values), int), np.arange(len(values)), "images", 1)


@pytest.fixture
def square():
    picture = np.zeros((6, 20, 20), dtype=np.uint8)
    picture[:, 8:12, 8:12] = 255
    return images(picture)


def test_the_same_seed_gives_the_same_images_and_another_does_not(square):
    augment = Affine(elastic_px=0.5)
    first = augment(square, np.random.default_rng(1)).values
    np.testing.assert_array_equal(first, augment(square, np.random.default_rng(1)).values)
    assert (first != augment(square, np.random.default_rng(2)).values).any()
    assert len({image.tobytes() for image in first}) == len(first)  # every image its own deformation


def test_all_zero_ranges_change_nothing(square):
    still = Affine(rotate_deg=0, scale=0, shear_deg=0, shift_px=0, contrast=1.0)
    np.testing.assert_array_equal(still(square, np.random.default_rng(0)).values, square.values)


def test_a_share_of_the_images_is_mirrored():
    picture = np.zeros((200, 4, 6), np.uint8)
    picture[:, 1, 0] = 200
    still = {"rotate_deg": 0, "scale": 0, "shear_deg": 0, "shift_px": 0, "contrast": 1.0}
    moved = Affine(**still, mirror=0.5)(images(picture), np.random.default_rng(0)).values
    left, right = moved[:, 1, 0] == 200, moved[:, 1, 5] == 200
    assert (left ^ right).all()
    assert 70 < right.sum() < 130
    everyone = Affine(**still, mirror=1.0)(images(picture), np.random.default_rng(0)).values
    np.testing.assert_array_equal(everyone, picture[:, :, ::-1])


def test_a_shift_moves_the_centre_of_mass_by_at_most_its_range(square):
    moved = (
        Affine(rotate_deg=0, scale=0, shear_deg=0, shift_px=3)(square, np.random.default_rng(3)).values / 255
    )
    columns = (moved.sum(1) * np.arange(20)).sum(1) / moved.sum((1, 2)) - 9.5
    assert np.abs(columns).max() <= 3.1
    assert np.abs(columns).max() > 0.5


def test_dtype_range_labels_and_input_stay_as_they_were(square):
    before = square.values.copy()
    out = Affine()(square, np.random.default_rng(0))
    assert out.values.dtype == np.uint8
    assert out.values.shape == square.values.shape
    np.testing.assert_array_equal(out.labels, square.labels)
    np.testing.assert_array_equal(square.values, before)
    floats = images((before / 255).astype(np.float32)[:, None])
    moved = Affine()(floats, np.random.default_rng(0)).values
    assert moved.dtype == np.float32
    assert moved.min() >= 0
    assert moved.max() <= 1


def test_mnist_keeps_its_share_of_early_pixels(data_root):
    """Resampling must not make strokes darker, so later: the latency code would shift."""
    train = datasets.build("mnist", {}, root=data_root).train.select(slice(0, 1000))
    moved = Affine(elastic_px=0.6)(train, np.random.default_rng(0))
    for level in (26, 128, 230):
        before, after = (train.values >= level).mean(), (moved.values >= level).mean()
        assert after == pytest.approx(before, rel=0.05)


def test_kept_histograms_are_exact_image_by_image_and_in_order(data_root):
    """As many pixels at every intensity as the original has, the brightest where resampling put them."""
    train = datasets.build("mnist", {}, root=data_root).train.select(slice(0, 200))
    train = images((train.values / 255).astype(np.float32))
    draws = {"rotate_deg": 10.0, "shift_px": 1.0, "elastic_px": 0.7}
    kept = Affine(keep_histogram=True, **draws)(train, np.random.default_rng(0)).values
    plain = Affine(contrast=1.0, **draws)(train, np.random.default_rng(0)).values
    assert (kept != train.values).any((1, 2)).all()
    assert (kept[plain == 0] == 0).all()
    for original, before, after in zip(train.values, plain, kept, strict=True):
        filled = np.minimum((before > 0).sum(), (original > 0).sum())
        np.testing.assert_array_equal(
            np.sort(after, axis=None)[-filled:], np.sort(original, axis=None)[-filled:]
        )
        inside = (before > 0) & (before < 1)  # what contrast clips is tied
        assert (np.diff(after[inside][np.argsort(before[inside])]) >= 0).all()


def test_a_kept_histogram_of_an_unmoved_image_changes_nothing(square):
    still = Affine(rotate_deg=0, scale=0, shear_deg=0, shift_px=0, keep_histogram=True)
    np.testing.assert_array_equal(still(square, np.random.default_rng(0)).values, square.values)


def test_what_it_cannot_do_is_refused(square):
    with pytest.raises(InputError, match="scale"):
        Affine(scale=1.0)
    with pytest.raises(InputError, match="rotate_deg=-1"):
        Affine(rotate_deg=-1)
    signals = Samples(np.zeros((1, 5, 1), np.float32), np.array([0]), np.array([0]), "signals", 1)
    with pytest.raises(InputError, match="images"):
        Affine()(signals, np.random.default_rng(0))


def test_registered_ones_are_listed_and_none_is_the_identity(square):
    assert {"affine", "none"} <= set(augmentations.names())
    assert NoAugmentation()(square, np.random.default_rng(0)) is square
