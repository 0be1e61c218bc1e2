"""One sample being decided, step by step, as a GIF or a film."""

import io
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.writing import write_whole
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.records import Record
from rc_vs_snn.showing.decision import evidence_label
from rc_vs_snn.showing.drawing import draw_raster, draw_sample, draw_seen
from rc_vs_snn.showing.files import beside, made_folder
from rc_vs_snn.showing.subjects import Judgement, OpenRun, Subject, open_run

Format = Literal["gif", "mp4"]
DPI = 110
INCHES = (6.4, 3.0)  # even numbers of pixels, which films need
LONGEST_S = 12.0
"""Without a given pace, no film of a decision lasts longer."""
SLOWEST, FASTEST = 0.1, 50.0
HELD_S = 1.5
"""How long the decision is shown."""


def show_animation(
    run: Record,
    sample: int | None = None,
    out: Path | None = None,
    execution: Execution | None = None,
    *,
    film: Format = "gif",
    steps_per_second: float | None = None,
) -> list[Path]:
    """Draw one test sample as it is being decided: input, evidence and threshold at every step.

    Args:
        run: a finished run, or a model folder.
        sample: id of the sample; None: the first of the test split.
        out: folder of the file; None: ``figures`` beside the run folder.
        execution: device, threads, data root, trust.
        film: "gif", or "mp4", for which the program ffmpeg must be installed.
        steps_per_second: pace; None: 3, or what a decision needs to be over after 12 seconds.

    Returns:
        The file.

    Raises:
        InputError: no such sample, no corpus, no ffmpeg, a pace out of range, or code that is not trusted.
    """
    if film == "mp4" and shutil.which("ffmpeg") is None:
        raise InputError(
            "an MP4 needs the program ffmpeg, which is not on PATH; install it, or give --format gif"
        )
    if steps_per_second is not None and not SLOWEST <= steps_per_second <= FASTEST:
        raise InputError(f"steps per second must lie in {SLOWEST:g}..{FASTEST:g}, got {steps_per_second:g}")
    with open_run(run, execution or Execution()) as opened:
        sample = int(opened.splits.test.ids[0]) if sample is None else sample
        (subject,) = opened.subjects([sample])
        judged = opened.judge(sample)
        pace = steps_per_second or max(3.0, (judged.step + 1) / LONGEST_S)
        pace = min(pace, FASTEST)
        frames = list(drawn_frames(opened, subject, judged))
    content = as_gif(frames, pace) if film == "gif" else as_mp4(frames, pace)
    folder = made_folder(out or beside(run))
    return [write_whole(folder / f"decision-{run.folder.name}-{sample}.{film}", content)]


def drawn_frames(opened: OpenRun, subject: Subject, judged: Judgement) -> Iterator[np.ndarray]:
    """Yield a picture ``(height, width, 3)`` of 8 bits per step, up to the decision."""
    for step in range(judged.step + 1):
        yield _pixels(draw_step(opened, subject, judged, step))


@style.applied()
def draw_step(opened: OpenRun, subject: Subject, judged: Judgement, step: int) -> Figure:
    """Return the figure of one step: the sample, what has come in, and the evidence of every class."""
    names = opened.splits.class_names
    figure = style.new_figure(
        *INCHES, f"{opened.title}: test sample {subject.id}, class {names[subject.label]}"
    )
    shown, seen, bars = figure.subplots(1, 3, width_ratios=[1, 1.2, 1.8])
    draw_sample(shown, subject)
    shown.set_title("the sample", loc="left")
    if subject.code.pixels:
        draw_seen(seen, subject.code, step)
    else:
        _filling(seen, subject, step)
    seen.set_title(f"step {step} of {subject.code.n_steps}", loc="left")
    _bars(bars, opened, judged, step)
    if step == judged.step:
        how = "decided" if judged.decided else "forced"
        verdict = "right" if judged.right else "wrong"
        bars.set_title(
            style.plain(f"{how}: {names[judged.label]} ({verdict})"), loc="left", fontweight="bold"
        )
    else:
        bars.set_title("waiting", loc="left")
    return figure


def _filling(axes: Axes, subject: Subject, step: int) -> None:
    draw_raster(axes, subject.code, step)
    # What is to come is not known yet: cover it.
    axes.axvspan(step + 0.5, subject.code.n_steps, color="white", linewidth=0, zorder=6)
    axes.axvline(step, color=style.GREY, linewidth=0.6)
    axes.set_ylabel("Input channel")


def _bars(axes: Axes, opened: OpenRun, judged: Judgement, step: int) -> None:
    evidence = judged.evidence[: judged.step + 1]
    n_classes = evidence.shape[1]
    fired = step == judged.step
    colours = [
        style.COLOURS[1] if fired and label == judged.label else style.COLOURS[0]
        for label in range(n_classes)
    ]
    axes.bar(np.arange(n_classes), evidence[step], width=0.8, color=colours, linewidth=0)
    axes.axhline(judged.thresholds[step], color="black", linewidth=0.9, linestyle=(0, (3, 1.5)))
    drawn = np.append(evidence, judged.thresholds[: judged.step + 1])
    drawn = drawn[np.isfinite(drawn)]  # a rule may wait whatever comes, for which its threshold is infinite
    low, high = min(0.0, float(drawn.min())), max(float(drawn.max()), 1e-6)
    margin = 0.05 * (high - low)
    axes.set_ylim(low - (margin if low < 0 else 0), high + margin)
    many = n_classes > 12
    names = [style.plain(str(name)) for name in opened.splits.class_names]
    long = max(map(len, names)) > 2
    axes.set_xticks(
        range(n_classes), names, rotation=90 if many or long else 0, fontsize=4.5 if many else 6.5
    )
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("Class (line: threshold)")
    axes.set_ylabel(evidence_label(opened))


def _pixels(figure: Figure) -> np.ndarray:
    with style.applied():
        figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()


def as_gif(frames: list[np.ndarray], pace: float) -> bytes:
    """Return the frames as a GIF that goes on for ever, the last one held.

    Args:
        frames: ``(height, width, 3)`` uint8 each.
        pace: frames per second.
    """
    # One palette for all, of the first and the last, which hold every colour: nothing flickers.
    palette = Image.fromarray(np.concatenate([frames[0], frames[-1]])).quantize(64)
    images = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    each = round(1000 / pace)
    durations = [each] * (len(images) - 1) + [each + round(1000 * HELD_S)]
    target = io.BytesIO()
    images[0].save(
        target, format="GIF", save_all=True, append_images=images[1:], duration=durations, loop=0, disposal=1
    )
    return target.getvalue()


def as_mp4(frames: list[np.ndarray], pace: float) -> bytes:
    """Return the frames as a film (H.264), the last one held; made by the program ffmpeg.

    Raises:
        InputError: ffmpeg fails, with what it says.
    """
    height, width, _ = frames[0].shape
    held = max(1, round(HELD_S * pace))
    command = [
        "ffmpeg", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-r", f"{pace:g}", "-i", "-", "-an", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-threads", "1",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact",
        "-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-",
    ]  # fmt: skip
    content = b"".join(frame.tobytes() for frame in [*frames, *[frames[-1]] * held])
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"ffmpeg failed ({said[-1] if said else done.returncode}); give --format gif")
    return done.stdout
