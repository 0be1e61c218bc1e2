"""Spoken digits, on a small tree in FSDD's layout and on the corpus where it is at hand."""

import numpy as np
import pytest
from audio_files import tone, wav_bytes, write_wav

from rc_vs_snn import InputError
from rc_vs_snn.datasets.audio import id_of
from rc_vs_snn.datasets.spoken_digits import spoken_digits
from rc_vs_snn.testing import check_dataset

pytest.importorskip("soundfile")
SPEAKERS = ("anna", "bert", "carl")


@pytest.fixture
def tree(tmp_path):
    """Ten digits of three speakers, eight takes each; a recording's length tells which it is."""
    folder = tmp_path / "fsdd" / "recordings"
    for digit in range(10):
        for who, speaker in enumerate(SPEAKERS):
            for take in range(8):
                values = tone(200 + 24 * digit + 8 * who + take)
                write_wav(folder / f"{digit}_{speaker}_{take}.wav", values)
    (folder / "._0_anna_0.wav").write_bytes(b"side file")
    (folder / "README.md").write_text("notes")
    return tmp_path


def test_the_official_test_set_are_takes_0_to_4_and_valid_is_stratified(tree):
    splits = spoken_digits(tree, valid_share=1 / 3)
    check_dataset(splits, lambda: spoken_digits(tree, valid_share=1 / 3))
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [60, 30, 150]
    expected = {id_of(f"{d}_{s}_{t}"): d for d in range(10) for s in SPEAKERS for t in range(5)}
    assert dict(zip(splits.test.ids.tolist(), splits.test.labels.tolist(), strict=True)) == expected
    assert np.bincount(splits.valid.labels).tolist() == [3] * 10
    assert splits.train.sensor.rate_hz == 8000
    lengths = {
        label: len(values) for label, values in zip(splits.test.labels, splits.test.values, strict=True)
    }
    assert all(200 + 24 * label <= length < 224 + 24 * label for label, length in lengths.items())


def test_valid_changes_with_the_split_seed_and_test_does_not(tree):
    one, other = spoken_digits(tree), spoken_digits(tree, split_seed=1)
    assert one.test.ids.tolist() == other.test.ids.tolist()
    assert set(one.valid.ids) != set(other.valid.ids)


def test_the_speaker_split_shares_no_speaker(tree):
    splits = spoken_digits(tree, split="speaker", valid_speaker="anna", test_speaker="carl")
    ids_of = {
        speaker: {id_of(f"{digit}_{speaker}_{take}") for digit in range(10) for take in range(8)}
        for speaker in SPEAKERS
    }
    assert set(splits.train.ids.tolist()) == ids_of["bert"]
    assert set(splits.valid.ids.tolist()) == ids_of["anna"]
    assert set(splits.test.ids.tolist()) == ids_of["carl"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"split": "offical"}, "no split 'offical'.*official"),
        ({"valid_share": 0.0}, "valid_share must lie between 0 and 1"),
        ({"split": "speaker"}, "no speaker 'nicolas'"),
        ({"split": "speaker", "valid_speaker": "anna", "test_speaker": "anna"}, "choose two"),
    ],
)
def test_wrong_options_are_refused(tree, options, says):
    with pytest.raises(InputError, match=says):
        spoken_digits(tree, **options)


def test_what_is_not_there_misnamed_or_damaged_is_said(tree, tmp_path):
    with pytest.raises(InputError, match=r"no spoken digits under .*git clone"):
        spoken_digits(tmp_path / "elsewhere")
    folder = tree / "fsdd" / "recordings"
    (folder / "9_carl_7.wav").write_bytes(wav_bytes(tone(100))[:-9])
    with pytest.raises(
        InputError, match=r"1 of 240 audio files are damaged \(first: .*9_carl_7\.wav, cut off"
    ):
        spoken_digits(tree)
    with pytest.warns(UserWarning, match=r"skipped: 9_carl_7\.wav"):
        splits = spoken_digits(tree, damaged="skip")
    assert sum(len(part) for part in (splits.train, splits.valid, splits.test)) == 239
    write_wav(folder / "ten_carl_1.wav", tone(100))
    with pytest.raises(InputError, match=r"ten_carl_1\.wav is not called <digit>_<speaker>_<take>\.wav"):
        spoken_digits(tree)


def test_the_corpus_has_3000_recordings_of_six_speakers(data_root):
    if not (data_root / "fsdd" / "recordings").is_dir():
        pytest.skip("FSDD is not at hand")
    splits = spoken_digits(data_root)
    assert [len(part) for part in (splits.train, splits.valid, splits.test)] == [2430, 270, 300]
    assert np.bincount(splits.test.labels).tolist() == [30] * 10
    lengths = [len(values) for part in (splits.train, splits.valid, splits.test) for values in part.values]
    assert (min(lengths), max(lengths)) == (1148, 18_262)
