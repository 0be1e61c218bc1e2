"""Options that several commands share, and what several of them do with runs."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rc_vs_snn.config import RunConfig
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.comparison import Comparison, load_file, load_preset
from rc_vs_snn.experiment.engines import Engine
from rc_vs_snn.experiment.execution import Execution

if TYPE_CHECKING:
    from rc_vs_snn.analysis import FigureOptions
    from rc_vs_snn.experiment.progress import Progress
    from rc_vs_snn.records import Record

EXECUTION, ENGINE = Execution(), Engine()

Executed = Annotated[Execution, Parameter(name="*")]
Spread = Annotated[Engine, Parameter(name="*")]
Settings = Annotated[Sequence[str], Parameter(name="--set", show_default=False)]
Grid = Annotated[Sequence[str], Parameter(name="--grid", show_default=False)]
Names = Annotated[Sequence[str], Parameter(show_default=False)]


@Parameter(name="*")
@dataclass(frozen=True)
class Source:
    """Which comparison is meant.

    Attributes:
        preset: built-in comparison (default: digits).
        config: a TOML file like the presets.
        settings: KEY=VALUE: change a setting for every model (training.epochs=3, encoder.name=rate) or one
            (models.rc-lstm.model.hidden=64); repeatable.
        seed: base seed of every generator (default: the preset's).
    """

    preset: str | None = None
    config: Path | None = None
    settings: Settings = ()
    seed: int | None = None

    def comparison(self, grid: Sequence[str] = ()) -> Comparison:
        """Return the comparison, at every combination of some axes.

        Raises:
            InputError: an unknown preset, a faulty file, setting or axis, or both a preset and a file.
        """
        if self.config is None:
            found = load_preset(self.preset or "digits", self.settings, grid)
        elif self.preset is None:
            found = load_file(self.config, self.settings, grid)
        else:
            raise InputError("give either --preset or --config")
        return found if self.seed is None else found.with_seeds(self.seed)

    def of_model(self, model: str | None) -> RunConfig:
        """Return the run of one model: of the first, or of that with a label; see ``comparison``."""
        return labelled(self.comparison(), model)


def labelled(comparison: Comparison, model: str | None) -> RunConfig:
    """Return the first run of a comparison, or of its model with a label.

    Raises:
        InputError: no model has that label.
    """
    configs = comparison.planned()
    labels = [config.label for config in configs]
    if model is not None and model not in labels:
        raise InputError(f"no model '{model}'; {did_you_mean(model, labels)}")
    return configs[0 if model is None else labels.index(model)]


SOURCE = Source()


@Parameter(name="*")
@dataclass(frozen=True)
class Drawing:
    """How figures look.

    Attributes:
        style: a matplotlib style sheet (.mplstyle).
        width: of every figure, such as 3.4in, 86mm or 246pt (default: 3.5in, 7in for panels side by side).
        columns: of a page that a figure is for: 1 puts its panels below one another, 2 side by side.
        xscale: log or linear axes of decision time and of operations (default: linear and log).
        time: decision times in steps from 0, or in ms of input seen.
        formats: of the files, such as pdf,pgf.
        values: where the operating points' numbers stand: in the legend, or in the table alone.
    """

    style: Path | None = None
    width: str | None = None
    columns: Literal[1, 2] | None = None
    xscale: Literal["log", "linear"] | None = None
    time: Literal["steps", "ms"] = "steps"
    formats: str = "png,svg,pdf"
    values: Literal["legend", "table"] = "legend"

    def options(self, labels: Mapping[str, str] | None = None, order: Sequence[str] = ()) -> "FigureOptions":
        """Return the options of figures, checked.

        Raises:
            InputError: a style sheet that cannot be used, a width that is none, an unknown format.
        """
        from rc_vs_snn.analysis import FigureOptions

        formats = [name.strip() for name in self.formats.split(",")]
        return FigureOptions(
            style=self.style, width=self.width, columns=self.columns, xscale=self.xscale, time=self.time,
            formats=formats, values=self.values, labels=labels or {}, order=order,
        )  # fmt: skip


DRAWING = Drawing()


def shown(tensorboard: Path | None, below: Path | None = None) -> "Progress":
    """Return what tells of trainings while they go on: the terminal, and TensorBoard where it is asked for.

    Args:
        tensorboard: folder for its events.
        below: folder of the runs.
    """
    from rc_vs_snn.experiment.progress import TerminalProgress
    from rc_vs_snn.experiment.tensorboard import TensorBoard

    terminal = TerminalProgress()
    return terminal if tensorboard is None else TensorBoard(tensorboard, terminal, below=below)


def read_runs(folders: Sequence[Path]) -> "list[Record]":
    """Return every run at or below some folders."""
    from rc_vs_snn.records import find_records

    return [record for folder in folders for record in find_records(folder)]


def draw(
    found: "Sequence[Record]", out: Path, only: Sequence[str] = (), options: "FigureOptions | None" = None
) -> None:
    """Write the figures and the summary of some runs; print the summary and where the files are."""
    from rc_vs_snn.analysis import write_figures

    written = write_figures(found, out, only=only, options=options, tell=_tell)
    summary = next((path for path in written if path.name == "summary.md"), None)
    if summary is not None:
        print(summary.read_text(encoding="utf-8"))
    shown = options.formats[0] if options else "png"
    for path in written:
        if path.suffix == f".{shown}" or path.stem == "summary":
            print(path)


def _tell(line: str) -> None:
    print(line, file=sys.stderr)


def draw_finished(found: "Sequence[Record]", out: Path, options: "FigureOptions | None" = None) -> None:
    """Draw as ``draw`` does, if there is anything to draw."""
    if any(record.status == "done" for record in found):
        draw(found, out, options=options)


def exit_code(found: "Sequence[Record]") -> int:
    """Return a command's exit code: 1 if a run failed, with one line for each that did."""
    from rc_vs_snn.experiment.progress import describe

    failed = [record for record in found if record.status == "failed"]
    for record in failed:
        print(f"rc-vs-snn: {describe(record)}; the same command trains it again", file=sys.stderr)
    return 1 if failed else 0
