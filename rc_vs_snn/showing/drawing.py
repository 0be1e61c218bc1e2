"""How a sample and its code are drawn: as a picture where its channels are pixels, else over time."""

import numpy as np
from matplotlib.axes import Axes

from rc_vs_snn.analysis import style
from rc_vs_snn.errors import InputError
from rc_vs_snn.showing.codes import OneCode
from rc_vs_snn.showing.subjects import Subject

INK, PALE = "black", "0.75"
MOST_LINES = 4
"""Signals of more channels are drawn as an image."""
MOST_SHADED = 256
"""Counts in more channels are drawn as marks: shades of so narrow rows would be lost."""
VECTORS = 20_000
"""More marks than these are stored as pixels, also in SVG and PDF."""


def draw_sample(axes: Axes, subject: Subject) -> None:
    """Draw a sample as it is, before encoding."""
    axes.grid(visible=False)
    if subject.kind == "images":
        _draw_image(axes, subject.value)
    elif subject.kind == "signals":
        _draw_signal(axes, subject.value, subject.sensor.rate_hz)
    else:
        _draw_events(axes, subject.value)


def draw_picture(axes: Axes, picture: np.ndarray, highest: float | None = None) -> None:
    """Draw numbers of at least 0 as a picture on white; ``highest`` is black."""
    axes.imshow(picture, cmap="Greys", vmin=0, vmax=highest or max(float(picture.max()), 1e-12),
                interpolation="nearest")  # fmt: skip
    _bare(axes)


def draw_raster(axes: Axes, code: OneCode, until: int | None = None) -> None:
    """Draw a code over time, a row per channel; what comes after the step ``until`` is pale.

    A channel that stays on has a line from where it comes on.
    """
    last = code.n_steps - 1
    until = last if until is None else until
    n_channels = code.values.shape[1]
    axes.grid(visible=False)
    axes.set_xlim(-0.5, last + 0.5)
    axes.set_ylim(n_channels - 0.5, -0.5)
    axes.locator_params(axis="y", nbins=4, integer=True)
    if n_channels == 1:
        axes.set_yticks([])
    if code.analogue or (code.values.max() > 1 and n_channels <= MOST_SHADED):
        bound = max(float(np.abs(code.values.astype(np.float64)).max()), 1e-12)
        shown = np.ma.masked_invalid(code.values.T)
        if (code.values < 0).any():
            axes.imshow(shown, cmap="RdBu_r", vmin=-bound, vmax=bound, aspect="auto", interpolation="nearest")
        else:
            axes.imshow(shown, cmap="Greys", vmin=0, vmax=bound, aspect="auto", interpolation="nearest")
        if until < last:
            axes.axvspan(until + 0.5, last + 0.5, color="white", alpha=0.7, linewidth=0)
        return
    steps, channels = code.events()
    rasterized = len(steps) > VECTORS
    size = float(np.clip(150 / n_channels, 1.2, 5))
    for seen, colour in ((steps > until, PALE), (steps <= until, INK)):
        axes.plot(
            steps[seen], channels[seen],
            linestyle="", marker="s" if size < 2 else "|", color=colour, markersize=size,
            markeredgewidth=0 if size < 2 else 1, rasterized=rasterized,
        )  # fmt: skip
        if code.hold:
            end = until if colour == INK else last
            axes.hlines(channels[seen], steps[seen], end, color=colour, linewidth=min(size / 3, 0.8),
                        alpha=0.35, rasterized=rasterized)  # fmt: skip


def draw_seen(axes: Axes, code: OneCode, until: int) -> None:
    """Draw what had come in by a step: a picture, or the raster with the rest pale."""
    if code.pixels:
        draw_picture(axes, code.picture(code.seen(until)))
    else:
        draw_raster(axes, code, until)


def event_channels(values: np.ndarray) -> np.ndarray:
    """Return how many events of a recording each pixel had, ``(H, W)``, all polarities together."""
    x, y = values["x"].astype(np.int64), values["y"].astype(np.int64)
    counts = np.zeros((int(y.max(initial=0)) + 1, int(x.max(initial=0)) + 1))
    np.add.at(counts, (y, x), 1)
    return counts


def _draw_image(axes: Axes, value: np.ndarray) -> None:
    image = value.astype(np.float64) / (255 if value.dtype == np.uint8 else 1)
    if image.ndim == 3:
        image = np.moveaxis(image, 0, -1)
        image = image if image.shape[-1] == 3 else image.mean(axis=-1)
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    _bare(axes)


def _draw_signal(axes: Axes, value: np.ndarray, rate_hz: float | None) -> None:
    seconds = np.arange(len(value)) / (rate_hz or 1)
    if value.shape[1] > MOST_LINES:
        bound = max(float(np.abs(value).max()), 1e-12)
        axes.imshow(
            value.T, cmap="RdBu_r", vmin=-bound, vmax=bound, aspect="auto", interpolation="nearest",
            extent=(0, seconds[-1] + (1 / (rate_hz or 1)), value.shape[1] - 0.5, -0.5),
        )  # fmt: skip
    else:
        for channel, colour in zip(value.T, (INK, *style.COLOURS), strict=False):
            axes.plot(seconds, channel, color=colour, linewidth=0.5)
    axes.set_xlabel("Time (s)" if rate_hz else "Sample", labelpad=1)
    axes.tick_params(labelsize=5.5, length=1.5, pad=1)
    axes.locator_params(nbins=4)


def _draw_events(axes: Axes, value: np.ndarray) -> None:
    names = value.dtype.names or ()
    if "x" not in names:
        raise InputError(f"events have the fields t and x, got {names}")
    if "y" in names and len(value) and value["y"].max() > 0:
        draw_picture(axes, event_channels(value))
        return
    axes.plot(value["t"] / 1e3, value["x"], linestyle="", marker="s", markersize=0.8, markeredgewidth=0,
              color=INK, rasterized=len(value) > VECTORS)  # fmt: skip
    axes.set_xlabel("t / 1000", labelpad=1)
    axes.tick_params(labelsize=5.5, length=1.5, pad=1)


def _bare(axes: Axes) -> None:
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("0.6")
