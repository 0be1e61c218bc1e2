"""Speech commands, on small trees in the official layouts and on the test fold where it is at hand."""

import shutil

import numpy as np
import pytest
from audio_files import tone, write_wav

from rc_vs_snn import InputError
from rc_vs_snn.contracts import SPLITS, Unread
from rc_vs_snn.datasets.audio import id_of
from rc_vs_snn.datasets.speech_commands import COMMANDS, FOLD, OTHERS, speaker_of, speech_commands
from rc_vs_snn.testing import check_dataset

soundfile = pytest.importorskip("soundfile")
SPEAKERS = ("00f0204f", "0a2b400e", "1ecfb537", "9a69672b")
VALID, TEST = SPEAKERS[2:]


@pytest.fixture
def tree(tmp_path):
    """The official tree: 35 words by four speakers, one of whom is valid and one test; two noises of 10 s."""
    folder = tmp_path / "speech_commands_v0.02"
    lists = {VALID: [], TEST: []}
    for number, word in enumerate((*COMMANDS, *OTHERS)):
        for who, speaker in enumerate(SPEAKERS):
            name = f"{word}/{speaker}_nohash_0.wav"
            write_wav(folder / name, tone(100 + 4 * number + who), 1000)
            lists.get(speaker, []).append(name)
    (folder / "validation_list.txt").write_text("\n".join(lists[VALID]) + "\n")
    (folder / "testing_list.txt").write_text("\n".join(lists[TEST]) + "\n")
    for name in ("white_noise", "doing_the_dishes"):
        noise = np.linspace(-0.9, 0.9, 10_000)  # its values tell the time
        write_wav(folder / "_background_noise_" / f"{name}.wav", noise, 1000)
    (folder / "_background_noise_" / "README.md").write_text("notes")
    (folder / "LICENSE").write_text("CC BY")
    return tmp_path


def test_the_official_lists_divide_the_35_words(tree):
    splits = speech_commands(tree, rate_hz=1000)
    check_dataset(splits, lambda: speech_commands(tree, rate_hz=1000))
    assert len(splits.class_names) == 35
    assert [len(getattr(splits, name)) for name in SPLITS] == [70, 35, 35]
    words = sorted((*COMMANDS, *OTHERS))
    assert splits.class_names == tuple(words)
    for part, speaker in ((splits.valid, VALID), (splits.test, TEST)):
        expected = {id_of(f"{word}/{speaker}_nohash_0"): words.index(word) for word in words}
        assert dict(zip(part.ids.tolist(), part.labels.tolist(), strict=True)) == expected


def test_clips_are_read_when_they_are_asked_for_unless_told_otherwise(tree):
    splits = speech_commands(tree, rate_hz=1000)
    assert isinstance(splits.train.values, Unread)
    loaded = speech_commands(tree, rate_hz=1000, in_memory=True)
    assert isinstance(loaded.train.values, np.ndarray)
    few = [5, 3]
    for one, other in zip(
        splits.train.select(few).read().values, loaded.train.select(few).values, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_twelve_classes_have_unknown_words_and_a_stretch_of_noise_of_their_own(tree):
    splits = speech_commands(tree, classes=12, rate_hz=1000)
    check_dataset(splits, lambda: speech_commands(tree, classes=12, rate_hz=1000))
    assert splits.class_names == (*COMMANDS, "_silence_", "_unknown_")
    assert np.bincount(splits.train.labels).tolist() == [2] * 12
    assert np.bincount(splits.test.labels).tolist() == [1] * 12
    bounds = {"train": (-0.9, 0.54), "valid": (0.54, 0.72), "test": (0.72, 0.9)}
    for name in SPLITS:
        part = getattr(splits, name)
        for values in part.select(part.labels == 10).read().values:
            assert values.shape == (1000, 1)
            assert bounds[name][0] - 1e-3 <= values.min() <= values.max() <= bounds[name][1] + 1e-3


def test_a_tree_of_flacs_is_divided_by_the_same_lists(tree):
    folder = tree / "speech_commands_v0.02"
    before = speech_commands(tree, rate_hz=1000, in_memory=True)
    for path in [*folder.glob("*/*_nohash_0.wav")]:
        values, rate_hz = soundfile.read(path)
        soundfile.write(path.with_suffix(".flac"), values, rate_hz)
        path.unlink()
    after = speech_commands(tree, rate_hz=1000)
    for name in SPLITS:
        one, other = getattr(before, name), getattr(after, name)
        assert one.ids.tolist() == other.ids.tolist()
        np.testing.assert_array_equal(one.values[7], other.select([7]).read().values[0])


def test_another_rate_is_resampled(tree):
    part = speech_commands(tree, rate_hz=2000).train
    assert part.sensor.rate_hz == 2000
    assert len(part.select([0]).read().values[0]) == 2 * len(
        speech_commands(tree, rate_hz=1000).train.select([0]).read().values[0]
    )


def test_what_is_missing_or_damaged_is_said(tree, tmp_path):
    with pytest.raises(InputError, match=r"no Speech Commands under .*testing_list\.txt.*split=test-fold"):
        speech_commands(tmp_path / "elsewhere")
    folder = tree / "speech_commands_v0.02"
    (folder / "yes" / f"{SPEAKERS[0]}_nohash_0.wav").write_bytes(b"")
    with pytest.raises(InputError, match=r"1 of 140 audio files are damaged .*damaged=skip"):
        speech_commands(tree)
    with pytest.warns(UserWarning, match=r"1 of 140 .* skipped: 00f0204f_nohash_0\.wav"):
        assert len(speech_commands(tree, damaged="skip").train) == 69
    (folder / "no" / f"{TEST}_nohash_0.wav").unlink()
    with pytest.raises(
        InputError, match=r"1 of 35 clips of .*testing_list\.txt are not there \(first: no/9a"
    ):
        speech_commands(tree)
    shutil.rmtree(folder / "no")
    with pytest.raises(InputError, match="has no folders no;"):
        speech_commands(tree)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"split": "fold"}, "no split 'fold'"),
        ({"classes": 10}, "classes must be 12 or 35"),
        ({"split": "test-fold", "test_share": 0.9}, "leave a share for train"),
    ],
)
def test_wrong_options_are_refused(tree, options, says):
    with pytest.raises(InputError, match=says):
        speech_commands(tree, **options)


@pytest.fixture
def fold(tmp_path):
    """The test fold: ten words and others by 20 speakers, silence, and a clip that is there twice."""
    folder, number = tmp_path / FOLD, 0
    for word in (*COMMANDS, "_unknown_"):
        (folder / word).mkdir(parents=True)
        for speaker in range(20):
            number += 1
            name = f"{0x1000 + speaker:08x}_nohash_0"
            name = f"bed_{name}.wav.flac" if word == "_unknown_" else f"{name}.flac"
            soundfile.write(folder / word / name, tone(200 + number), 1000)
    (folder / "_silence_").mkdir()
    for cut in range(20):
        soundfile.write(folder / "_silence_" / f"{1000 + cut}.flac", 0.01 * tone(500 + cut), 1000)
    shutil.copy(folder / "yes" / "00001000_nohash_0.flac", folder / "yes" / "00001000_nohash_3.flac")
    return tmp_path


def speakers_of(splits):
    return {name: {speaker_of(clip.path) for clip in _clips(getattr(splits, name))} for name in SPLITS}


def _clips(part):
    return [part.values.source.clips[row] for row in part.values.rows]


@pytest.mark.parametrize("split_seed", [0, 1, 2])
def test_no_speaker_of_the_fold_is_in_two_splits(fold, split_seed):
    splits = speech_commands(fold, split="test-fold", split_seed=split_seed, rate_hz=1000)
    check_dataset(splits)
    speakers = speakers_of(splits)
    assert not speakers["train"] & (speakers["valid"] | speakers["test"])
    assert not speakers["valid"] & speakers["test"]
    assert len(splits.train) + len(splits.valid) + len(splits.test) == 240  # the copy is dropped


def test_a_speaker_of_the_fold_is_the_first_field_of_words_and_the_second_of_unknown_ones(fold):
    folder = fold / FOLD
    assert speaker_of(folder / "yes" / "022cd682_nohash_1.flac") == "022cd682"
    assert speaker_of(folder / "_unknown_" / "backward_0c540988_nohash_0.wav.flac") == "0c540988"
    assert speaker_of(folder / "_silence_" / "1024.flac") == "_silence_/1024"


def test_the_fold_at_hand_has_no_speaker_in_two_splits(data_root):
    if not (data_root / FOLD).is_dir():
        pytest.skip("the test fold is not at hand")
    splits = speech_commands(data_root, split="test-fold")
    speakers = speakers_of(splits)
    assert sum(len(each) for each in speakers.values()) == len(set().union(*speakers.values()))
    # 4,890 clips, of which 121 are copies of others, byte for byte.
    assert sum(len(getattr(splits, name)) for name in SPLITS) == 4769
