"""Options that several commands share, and what several of them do with runs."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.comparison import Comparison, load_file, load_preset
from rc_vs_snn.experiment.execution import Execution

if TYPE_CHECKING:
    from rc_vs_snn.experiment.progress import Progress
    from rc_vs_snn.records import Record

EXECUTION = Execution()

Executed = Annotated[Execution, Parameter(name="*")]
Settings = Annotated[Sequence[str], Parameter(name="--set", show_default=False)]
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

    def comparison(self) -> Comparison:
        """Return the comparison.

        Raises:
            InputError: an unknown preset, a faulty file or setting, or both a preset and a file.
        """
        if self.config is None:
            found = load_preset(self.preset or "digits", self.settings)
        elif self.preset is None:
            found = load_file(self.config, self.settings)
        else:
            raise InputError("give either --preset or --config")
        return found if self.seed is None else found.with_seeds(self.seed)


SOURCE = Source()


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


def draw(found: "Sequence[Record]", out: Path, only: Sequence[str] = ()) -> None:
    """Write the figures and the summary of some runs; print the summary and where the files are."""
    from rc_vs_snn.analysis import write_figures

    written = write_figures(found, out, only=only)
    summary = next((path for path in written if path.name == "summary.md"), None)
    if summary is not None:
        print(summary.read_text(encoding="utf-8"))
    for path in written:
        if path.suffix == ".png" or path.name in ("summary.md", "summary.csv"):
            print(path)


def draw_finished(found: "Sequence[Record]", out: Path) -> None:
    """Draw as ``draw`` does, if there is anything to draw."""
    if any(record.status == "done" for record in found):
        draw(found, out)


def exit_code(found: "Sequence[Record]") -> int:
    """Return a command's exit code: 1 if a run failed, with one line for each that did."""
    from rc_vs_snn.experiment.progress import describe

    failed = [record for record in found if record.status == "failed"]
    for record in failed:
        print(f"rc-vs-snn: {describe(record)}; the same command trains it again", file=sys.stderr)
    return 1 if failed else 0
