"""Augmentation: seeded, in the intensity domain, and true to the images' statistics."""

import numpy as np
import pytest

from rc_vs_snn import InputError, Samples
from rc_vs_snn.augmentations import Affine, NoAugmentation, SignalChanges
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
    assert {"affine", "none", "signals"} <= set(augmentations.names())
    assert NoAugmentation()(square, np.random.default_rng(0)) is square


def signals(*values):
    return Samples(list(values), np.zeros(len(values), int), np.arange(len(values)), "signals", 1)


@pytest.fixture
def walks():
    """Three signals of two channels and different lengths."""
    rng = np.random.default_rng(0)
    return signals(*(rng.normal(size=(length, 2)).astype(np.float32) for length in (40, 60, 100)))


EVERYTHING = {
    "stretch": 0.2, "shift": 0.2, "gain_db": 6.0, "time_mask": 0.3, "channel_mask": 0.5, "noise": 0.1,
}  # fmt: skip


def test_signals_are_left_as_they_are_by_default(walks):
    out = SignalChanges()(walks, np.random.default_rng(0))
    for one, other in zip(walks.values, out.values, strict=True):
        np.testing.assert_array_equal(one, other)


def test_changed_signals_come_from_the_generator_alone_and_the_originals_stay(walks):
    before = [each.copy() for each in walks.values]
    augment = SignalChanges(**EVERYTHING)
    one, again, other = (augment(walks, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for first, second in zip(one.values, again.values, strict=True):
        np.testing.assert_array_equal(first, second)
    assert [len(each) for each in one.values] != [len(each) for each in other.values]
    for first, second in zip(before, walks.values, strict=True):
        np.testing.assert_array_equal(first, second)
    assert one.labels.tolist() == walks.labels.tolist()
    assert one.sensor == walks.sensor


def test_signals_of_equal_length_stay_one_array_where_nothing_stretches_them():
    flat = Samples(np.ones((4, 10, 1), np.int16), [0] * 4, range(4), "signals", 1)
    out = SignalChanges(gain_db=6.0)(flat, np.random.default_rng(0)).values
    assert (out.shape, out.dtype) == ((4, 10, 1), np.float32)
    gains = 20 * np.log10(out[:, 0, 0])
    assert (np.abs(gains) <= 6).all()
    assert len(set(gains.tolist())) == 4


def test_a_stretched_ramp_is_a_ramp_of_another_length():
    ramp = np.linspace(0, 1, 101)[:, None]
    lengths = set()
    for seed in range(20):
        (out,) = SignalChanges(stretch=0.2)(signals(ramp), np.random.default_rng(seed)).values
        np.testing.assert_allclose(out[:, 0], np.linspace(0, 1, len(out)), atol=1e-5)
        lengths.add(len(out))
    assert 81 <= min(lengths) < 101 < max(lengths) <= 121
    (short,) = SignalChanges(stretch=0.5)(signals(np.ones((1, 1))), np.random.default_rng(0)).values
    assert short.tolist() == [[1]]


def test_a_shift_keeps_the_length_and_repeats_an_end():
    ramp = np.arange(100.0)[:, None]
    for seed in range(10):
        (out,) = SignalChanges(shift=0.1)(signals(ramp), np.random.default_rng(seed)).values
        moved = int(out[50, 0]) - 50
        assert -10 <= moved <= 10
        assert out[:, 0].tolist() == np.clip(np.arange(100) + moved, 0, 99).tolist()


def test_masks_silence_a_stretch_and_channels_but_never_all_of_them():
    ones = np.ones((100, 3))
    longest = 0
    for seed in range(20):
        (out,) = SignalChanges(time_mask=0.3)(signals(ones), np.random.default_rng(seed)).values
        rows = np.flatnonzero((out == 0).all(1))
        assert (out == 0).sum() == 3 * len(rows)
        assert len(rows) == 0 or rows[-1] - rows[0] + 1 == len(rows) <= 30
        longest = max(longest, len(rows))
        (out,) = SignalChanges(channel_mask=0.9)(signals(ones), np.random.default_rng(seed)).values
        assert sorted(set(out.sum(0).tolist())) in ([0, 100], [100])
        assert out.sum() > 0
    assert longest > 20


def test_noise_is_as_loud_as_it_is_told_beside_the_signal():
    loud, quiet = 2 * np.ones((20_000, 1)), 0.02 * np.ones((20_000, 1))
    out = SignalChanges(noise=0.5)(signals(loud, quiet), np.random.default_rng(3)).values
    for values, level in zip(out, (2, 0.02), strict=True):
        assert 0 < values.std() <= 0.51 * level
        assert values.mean() == pytest.approx(level, rel=0.02)


@pytest.mark.parametrize("options", [{"stretch": 1.0}, {"shift": -0.1}, {"noise": float("nan")}])
def test_signal_changes_out_of_range_are_refused(options):
    with pytest.raises(InputError, match=f"'signals': every field .* got {next(iter(options))}="):
        SignalChanges(**options)


def test_images_are_no_signals(square):
    with pytest.raises(InputError, match="'signals' takes signals, got images"):
        SignalChanges()(square, np.random.default_rng(0))
