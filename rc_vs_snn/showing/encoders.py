"""One sample under every encoder that fits it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rc_vs_snn import registry, seeds
from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.config import Part
from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.parts import build_part
from rc_vs_snn.experiment.settings import apply_setting
from rc_vs_snn.showing.codes import OneCode, code_of
from rc_vs_snn.showing.drawing import draw_picture, draw_raster, draw_sample
from rc_vs_snn.showing.files import write_shown
from rc_vs_snn.showing.subjects import Subject, rows_of

MOST_PICTURES = 6
"""So many steps of a code are shown as pictures, evenly spaced from first to last."""


def show_encoders(
    dataset: str,
    sample: int | None = None,
    out: Path | None = None,
    execution: Execution | None = None,
    *,
    settings: Sequence[str] = (),
) -> tuple[list[Path], dict[str, str]]:
    """Draw one test sample of a corpus under every registered encoder that takes it.

    Args:
        dataset: name of the corpus.
        sample: id of the sample; None: the first of the test split.
        out: folder of the files; None: ``figures``.
        execution: where the corpora lie.
        settings: KEY=VALUE as in ``compare --set``: ``dataset.KEY``, ``encoder.KEY`` of all encoders, or
            ``models.<encoder>.encoder.KEY`` of one.

    Returns:
        The files (the figure as PNG, SVG and PDF, and the input events at every step as CSV), and why the
        encoders that are not in it were left out, by name.

    Raises:
        InputError: no such corpus or sample, a faulty setting, or no encoder fits.
    """
    entries: list[dict[str, Any]] = [
        {"label": name, "dataset": {"name": dataset}, "encoder": {"name": name}}
        for name in registry.encoders.names()
    ]
    for setting in settings:
        apply_setting(setting, entries)
    root = data_root((execution or Execution()).data_root)
    splits: Splits = build_part(registry.datasets, Part.of(entries[0]["dataset"]), root=root)
    if not isinstance(splits, Splits):
        raise InputError(f"dataset '{dataset}' returned {type(splits).__name__}, not Splits")
    wanted = [int(splits.test.ids[0]) if sample is None else sample]
    one = splits.test.select(rows_of(splits.test, wanted, f"the test split of {dataset}")).read()
    codes, left_out = encoded_by(one, {str(entry["label"]): entry["encoder"] for entry in entries})
    if not codes:
        why = "; ".join(left_out.values())
        raise InputError(f"no encoder takes the samples of {dataset} as they are: {why}")
    first = next(iter(codes.values()))
    subject = Subject(wanted[0], int(one.labels[0]), one.values[0], one.kind, one.sensor, first)
    caption = f"{dataset}: test sample {subject.id}, class {splits.class_names[subject.label]}"
    figure = draw_encoders(subject, codes, caption)
    table = stack([_steps(code).tagged(encoder=name) for name, code in codes.items()])
    files = write_shown(figure, table, out or Path("figures"), f"encoders-{dataset}-{subject.id}")
    return files, left_out


def encoded_by(sample: Samples, encoders: dict[str, Any]) -> tuple[dict[str, OneCode], dict[str, str]]:
    """Return a sample's code by every encoder that takes it, and why the others do not.

    Args:
        sample: one sample, in memory.
        encoders: name and options by what they shall be called.

    Raises:
        InputError: an option that an encoder does not have, or not such.
    """
    codes, left_out = {}, {}
    seed = seeds.seed_for(0, "encoding", "test")
    for called, table in encoders.items():
        part = Part.of(table)
        known = registry.encoders.options(part.name)
        options = {key: value for key, value in part.options.items() if key in known}
        try:
            encoder = build_part(registry.encoders, Part(part.name, options))
            codes[called] = code_of(encoder(sample, seed), 0, sample.kind)
        except InputError as error:
            left_out[called] = str(error)
    names = {key for table in encoders.values() for key in table if key != "name"}
    unknown = [
        key for key in sorted(names)
        if not any(key in registry.encoders.options(Part.of(table).name) for table in encoders.values())
    ]  # fmt: skip
    if unknown:
        every = {key for name in encoders for key in registry.encoders.options(name)}
        raise InputError(f"no encoder has an option '{unknown[0]}'; {did_you_mean(unknown[0], every)}")
    return codes, left_out


@style.applied()
def draw_encoders(subject: Subject, codes: dict[str, OneCode], caption: str) -> Figure:
    """Return the figure: the sample, then a row per encoder: its steps, and how many events each has."""
    extra = "a row per encoder; bars: inputs at each step, those that are held again"
    pictures = all(code.pixels for code in codes.values())
    heights = [1.1, *[0.95 if pictures else 1.15] * len(codes)]
    figure = style.new_figure(style.PAGE_INCHES, 0.5 + sum(heights), f"{caption}; {extra}")
    grid = figure.add_gridspec(len(heights), MOST_PICTURES + 4, height_ratios=heights)
    top = figure.add_subplot(grid[0, 1:3] if pictures else grid[0, 1:])
    draw_sample(top, subject)
    top.set_title("the sample", loc="left")
    for row, (name, code) in enumerate(codes.items(), start=1):
        _words(figure.add_subplot(grid[row, 0]), name, code)
        if code.pixels:
            _film(figure, grid, row, code)
        else:
            axes = figure.add_subplot(grid[row, 1 : MOST_PICTURES + 1])
            draw_raster(axes, code)
            axes.tick_params(labelsize=6)
        _bars(figure.add_subplot(grid[row, MOST_PICTURES + 1 :]), code, last=row == len(codes))
    return figure


def _words(axes: Axes, name: str, code: OneCode) -> None:
    axes.set_axis_off()
    axes.text(0, 1, style.plain(name), fontweight="bold", va="top", transform=axes.transAxes)
    axes.text(0, 0.8, _facts(code), fontsize=6.5, va="top", color=style.GREY, transform=axes.transAxes)


def _film(figure: Figure, grid: Any, row: int, code: OneCode) -> None:
    chosen = np.unique(np.linspace(0, code.n_steps - 1, MOST_PICTURES).round().astype(int))
    pictures = [code.picture(np.abs(code.at(step))) for step in chosen]
    highest = max(float(picture.max()) for picture in pictures)
    for column, (step, picture) in enumerate(zip(chosen, pictures, strict=True)):
        axes = figure.add_subplot(grid[row, 1 + column])
        draw_picture(axes, picture, highest)
        axes.set_xlabel(f"step {step}", fontsize=6, labelpad=1.5)


def _bars(axes: Axes, code: OneCode, *, last: bool) -> None:
    counts = code.n_events().cumsum() if code.hold else code.n_events()  # what is held counts at every step
    axes.bar(np.arange(code.n_steps), counts, width=0.9, color=style.COLOURS[0], linewidth=0)
    axes.tick_params(labelsize=6)
    axes.locator_params(nbins=4)
    axes.locator_params(axis="x", integer=True)
    if last:
        axes.set_xlabel("Step (0-based)")


def _facts(code: OneCode) -> str:
    unit = "values" if code.analogue else "events"
    lines = [f"T = {code.n_steps}", f"{code.values.shape[1]:,} channels", f"{code.n_events().sum():,} {unit}"]
    return "\n".join([*lines, *(["held"] if code.hold else [])])


def _steps(code: OneCode) -> Table:
    return Table({"step": np.arange(code.n_steps), "new_events": code.n_events()}).tagged(
        n_channels=code.values.shape[1]
    )
