"""A decision as a GIF or a film: a picture a step, the same bytes each time, and why there may be none."""

import io
import shutil

import numpy as np
import pytest
from PIL import Image

import rc_vs_snn as rv
from rc_vs_snn.showing import animation, show_animation
from rc_vs_snn.showing.animation import as_gif, draw_step
from rc_vs_snn.showing.subjects import open_run

CPU = rv.Execution(device="cpu")


@pytest.fixture(scope="module")
def late(snn_run):
    """A sample that is decided late."""
    judged = snn_run.decisions()
    place = int(np.argmax(judged["step"]))
    return int(judged["id"][place]), int(judged["step"][place])


def test_a_gif_has_a_picture_for_every_step_up_to_the_decision(snn_run, late, tmp_path):
    sample, step = late
    (file,) = show_animation(snn_run, sample, tmp_path / "a", CPU, steps_per_second=4)
    assert file.name == f"decision-rank-snn-seed0-{sample}.gif"
    with Image.open(file) as found:
        assert found.n_frames == step + 1
        assert found.size == (704, 330)
        durations = []
        for frame in range(found.n_frames):
            found.seek(frame)
            durations.append(found.info["duration"])
    assert durations == [250] * step + [1750]
    (again,) = show_animation(snn_run, sample, tmp_path / "b", CPU, steps_per_second=4)
    assert again.read_bytes() == file.read_bytes()


def test_bars_and_threshold_are_the_evidence_of_the_step(snn_run, late):
    sample, step = late
    trace = snn_run.trace()
    place = trace.ids.tolist().index(sample)
    with open_run(snn_run, CPU) as opened:
        (subject,) = opened.subjects([sample])
        judged = opened.judge(sample)
        figures = [draw_step(opened, subject, judged, each) for each in range(step + 1)]
        ends = []
        for each, figure in enumerate(figures):
            bars = figure.axes[2]
            heights = np.array([bar.get_height() for bar in bars.patches])
            np.testing.assert_array_equal(heights, trace.evidence[place, each])
            assert bars.get_lines()[0].get_ydata() == [2.0, 2.0]
            low, high = bars.get_ylim()
            assert low <= heights.min()
            assert high >= max(heights.max(), 2.0)
            ends.append((low, high))
            assert bars.get_title(loc="left").startswith(("decided", "forced") if each == step else "waiting")
    assert len(set(ends)) == 1, "the axis stands still"


def test_equal_frames_are_not_merged_and_colours_do_not_flicker():
    frames = [np.zeros((10, 12, 3), np.uint8), np.full((10, 12, 3), 255, np.uint8)]
    with Image.open(io.BytesIO(as_gif(frames, 5))) as found:
        assert found.n_frames == 2


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the program ffmpeg is not installed")
def test_a_film_lasts_as_long_as_it_shall_and_is_the_same_each_time(snn_run, late, tmp_path):
    sample, _ = late
    (file,) = show_animation(snn_run, sample, tmp_path / "a", CPU, film="mp4", steps_per_second=4)
    assert file.suffix == ".mp4"
    content = file.read_bytes()
    assert content[4:8] == b"ftyp"
    (again,) = show_animation(snn_run, sample, tmp_path / "b", CPU, film="mp4", steps_per_second=4)
    assert again.read_bytes() == content


def test_without_ffmpeg_one_line_says_so(snn_run, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(rv.InputError, match=r"ffmpeg, which is not on PATH.*--format gif"):
        show_animation(snn_run, None, tmp_path / "out", CPU, film="mp4")
    assert not (tmp_path / "out").exists()


def test_an_ffmpeg_that_fails_is_quoted(snn_run, tmp_path, monkeypatch):
    broken = tmp_path / "bin" / "ffmpeg"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexec 0<&-\necho 'Unknown encoder libx264' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}:/usr/bin:/bin")
    with pytest.raises(rv.InputError, match=r"ffmpeg failed \(Unknown encoder libx264\)"):
        animation.as_mp4([np.zeros((300, 400, 3), np.uint8)] * 3, 3)


@pytest.mark.parametrize("pace", [0, -1, 51, float("nan")])
def test_a_pace_that_is_none(snn_run, tmp_path, pace):
    with pytest.raises(rv.InputError, match="steps per second must lie in"):
        show_animation(snn_run, None, tmp_path, CPU, steps_per_second=pace)
