"""Audio files of every kind: read as what they are, or refused by name."""

from pathlib import Path

import numpy as np
import pytest
from audio_files import RATE, tone, wav_bytes, write_wav

from rc_vs_snn import InputError
from rc_vs_snn.datasets import audio
from rc_vs_snn.datasets.audio import AudioFiles, Clip, audio_files, read_clip, sound

soundfile = pytest.importorskip("soundfile")


def test_a_wav_is_read_as_its_numbers(tmp_path):
    write_wav(tmp_path / "a.wav", np.array([0, 0.5, -1, 1]))
    read = read_clip(Clip(tmp_path / "a.wav"), RATE)
    assert (read.shape, read.dtype) == ((4, 1), np.float32)
    assert (read[:, 0] * 32768).tolist() == [0, 16384, -32767, 32767]


@pytest.mark.parametrize(
    ("name", "subtype"),
    [("a.wav", "PCM_U8"), ("a.wav", "PCM_24"), ("a.wav", "PCM_32"), ("a.wav", "FLOAT"), ("a.flac", "PCM_24")],
)
def test_any_width_of_numbers_is_full_scale_1(tmp_path, name, subtype):
    soundfile.write(tmp_path / name, tone(400), RATE, subtype=subtype)
    read = read_clip(Clip(tmp_path / name), RATE)[:, 0]
    np.testing.assert_allclose(read, tone(400), atol=0.01 if subtype == "PCM_U8" else 1e-6)


def test_stereo_is_the_mean_of_its_channels(tmp_path):
    left = tone(100)
    soundfile.write(tmp_path / "a.wav", np.stack([left, 0.5 * left], 1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(read_clip(Clip(tmp_path / "a.wav"), RATE)[:, 0], 0.75 * left, atol=1e-6)


@pytest.mark.parametrize("rate_hz", [44_100, 16_000, 11_025])
def test_another_rate_is_resampled_to_the_same_sound(tmp_path, rate_hz):
    soundfile.write(tmp_path / "a.wav", tone(rate_hz // 2, 500, rate_hz), rate_hz, subtype="FLOAT")
    read = read_clip(Clip(tmp_path / "a.wav"), RATE)[:, 0]
    assert abs(len(read) - RATE // 2) <= 1
    np.testing.assert_allclose(read[400:3600], tone(len(read))[400:3600], atol=1e-3)


def test_a_clip_is_a_stretch_of_its_file(tmp_path):
    write_wav(tmp_path / "a.wav", tone(1000))
    files = AudioFiles([Clip(tmp_path / "a.wav", 100, 50), Clip(tmp_path / "a.wav", 900)], RATE)
    assert [len(files[row]) for row in range(len(files))] == [50, 100]
    np.testing.assert_allclose(files[0][:, 0], tone(1000)[100:150], atol=1e-4)
    with pytest.raises(InputError, match=r"a\.wav holds 100 samples of 200"):
        read_clip(Clip(tmp_path / "a.wav", 900, 200), RATE)


def test_a_flac_that_is_cut_off_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.flac", tone(20_000), RATE)
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "a.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"a\.flac (cannot be read|holds)"):
        read_clip(Clip(tmp_path / "a.flac"), RATE)


def damaged_files(folder: Path) -> list[Path]:
    """One file that is whole, and the kinds of damage that a header or a size tells."""
    whole = wav_bytes(tone(100))
    contents = {
        "a_whole.wav": whole,
        "b_empty.wav": b"",
        "c_cut.wav": whole[:-10],
        "d_header_only.wav": whole[:44],
        "e_no_samples.wav": wav_bytes(np.zeros(0)),
        "f_text.wav": b"404 not found",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def test_damaged_files_are_counted_and_named(tmp_path):
    paths = damaged_files(tmp_path)
    with pytest.raises(InputError, match=r"5 of 6 audio files are damaged \(first: .*b_empty\.wav, empty\)"):
        sound(paths, "refuse")
    with pytest.warns(UserWarning, match=r"skipped: b_empty\.wav, c_cut\.wav, d_header_only\.wav"):
        assert sound(paths, "skip") == paths[:1]
    assert sound(paths[:1], "refuse") == paths[:1]
    with pytest.raises(InputError, match="damaged='drop'"):
        sound(paths, "drop")


def test_a_wav_with_other_chunks_before_its_data_is_whole(tmp_path):
    content = wav_bytes(tone(100))
    chunk = b"LIST" + (3).to_bytes(4, "little") + b"abc\0"  # of odd length, padded
    (tmp_path / "a.wav").write_bytes(content[:36] + chunk + content[36:])
    assert sound([tmp_path / "a.wav"], "refuse")


def test_side_files_are_no_recordings(tmp_path):
    for name in ("b.wav", "a.FLAC", "._b.wav", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in audio_files(tmp_path)] == ["a.FLAC", "b.wav"]


def test_a_package_that_is_not_there_is_named_with_its_extra(tmp_path, monkeypatch):
    write_wav(tmp_path / "a.wav", tone(10))
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    with pytest.raises(InputError, match=r"needs the package soundfile .*rc_vs_snn\[audio\]"):
        read_clip(Clip(tmp_path / "a.wav"), RATE)


def test_an_id_is_that_of_a_name_alone():
    assert audio.id_of("0_george_0") == audio.id_of("0_george_0") != audio.id_of("0_george_1")
    assert 0 <= audio.id_of("x") < 2**63
