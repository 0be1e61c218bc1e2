"""The gallery: every encoder that takes a sample is in it, the others say why not."""

import csv

import numpy as np
import pytest

import rc_vs_snn as rv
from rc_vs_snn import registry
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.showing import show_encoders
from rc_vs_snn.showing.encoders import draw_encoders, encoded_by
from rc_vs_snn.showing.subjects import Subject

OF_IMAGES = {"direct", "hybrid", "latency", "log-latency", "phase", "rank-order", "rate", "step"}


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def one_digit():
    return registry.datasets.build("digits", {}, root=data_root(None)).test.select([0])


def test_every_encoder_of_images_is_there_and_the_others_say_why(tmp_path):
    files, left_out = show_encoders("digits", None, tmp_path)
    assert [path.name for path in files] == [
        f"encoders-digits-2.{each}" for each in ("png", "svg", "pdf", "csv")
    ]
    rows = read(files[-1])
    assert {row["encoder"] for row in rows} == OF_IMAGES
    assert set(left_out) == set(registry.encoders.names()) - OF_IMAGES
    assert "takes signals, got images" in left_out["delta"]
    lit = int((one_digit().values > 0).sum())
    latency = [row for row in rows if row["encoder"] == "latency"]
    assert sum(int(row["new_events"]) for row in latency) == lit
    steps = (10 * (1 - one_digit().intensities()[one_digit().values > 0])).astype(int)
    expected = np.bincount(np.minimum(steps, 9), minlength=10)
    assert [int(row["new_events"]) for row in latency] == expected.tolist()


def test_signals_have_a_gallery_of_their_own(tmp_path):
    settings = ["dataset.n_test=5", "dataset.n_train=20", "dataset.n_valid=5", "dataset.length=12",
                "encoder.n_steps=12"]  # fmt: skip
    files, left_out = show_encoders("noisy-sign", None, tmp_path, settings=settings)
    rows = read(files[-1])
    assert {row["encoder"] for row in rows} == {"delta", "population", "raw"}
    assert {int(row["step"]) for row in rows} == set(range(12))
    assert "rate_hz" in left_out["log-mel"]


def test_one_encoder_can_be_set_apart(tmp_path):
    files, _ = show_encoders("digits", None, tmp_path, settings=["models.rate.encoder.n_steps=3"])
    steps = {name: sum(row["encoder"] == name for row in read(files[-1])) for name in ("rate", "latency")}
    assert steps == {"rate": 3, "latency": 10}


@pytest.mark.parametrize(
    ("dataset", "sample", "settings", "says"),
    [
        ("digit", None, [], "did you mean 'digits'"),
        ("digits", 0, [], "sample 0 is not in the test split of digits"),
        ("digits", None, ["encoder.n_step=3"], "no encoder has an option 'n_step'; did you mean 'n_steps'"),
        ("digits", None, ["encoder.n_steps=none"], "n_steps must be"),
        ("digits", None, ["dataset.nope=1"], "has no option 'nope'"),
        ("digits", None, ["models.rat.encoder.n_steps=3"], "no model 'rat'"),
    ],
)
def test_faults_are_named(tmp_path, dataset, sample, settings, says):
    with pytest.raises(rv.InputError, match=says):
        show_encoders(dataset, sample, tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_twice_the_same_bytes_random_codes_too(tmp_path):
    first, _ = show_encoders("digits", None, tmp_path / "a")
    second, _ = show_encoders("digits", None, tmp_path / "b")
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_what_is_held_counts_again_in_its_bars():
    sample = one_digit()
    codes, _ = encoded_by(sample, {"step": {"name": "step"}, "latency": {"name": "latency"}})
    subject = Subject(2, 2, sample.values[0], "images", sample.sensor, codes["step"])
    figure = draw_encoders(subject, codes, "a sample")
    bars = [axes for axes in figure.axes if axes.patches]
    heights = [[bar.get_height() for bar in axes.patches] for axes in bars]
    assert heights[0] == np.cumsum(heights[1]).tolist()
