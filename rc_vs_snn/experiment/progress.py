"""What a person sees while runs go on: bars on a terminal, one line per finished run elsewhere."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from rc_vs_snn.config import RunConfig
from rc_vs_snn.records import Record
from rc_vs_snn.records.on_valid import ACCURACY, MEAN_STEP, valid_number


@dataclass
class Watch:
    """Receives the reports of one running training; by default drops them."""

    def batch(self, means: dict[str, Any]) -> None:
        """Take the running means after a batch."""

    def epoch(self, entry: dict[str, Any]) -> None:
        """Take the history entry of an epoch."""


class Progress:
    """Shows nothing: what the Python API uses unless told otherwise."""

    @contextlib.contextmanager
    def session(self, planned: Sequence[RunConfig], todo: Sequence[RunConfig]) -> Iterator[None]:
        """Enclose all runs of a comparison."""
        yield

    @contextlib.contextmanager
    def watching(self, config: RunConfig, folder: Path) -> Iterator[Watch]:
        """Enclose one run, whose folder this is to be."""
        yield Watch()

    def finished(self, record: Record) -> None:
        """Take a finished run."""

    def told(self, line: str) -> None:
        """Take a line that a run printed elsewhere, or that is about how runs go on."""


class TerminalProgress(Progress):
    """Rich progress bars where standard error is a terminal, plain lines where it is not."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )

    @contextlib.contextmanager
    def session(self, planned: Sequence[RunConfig], todo: Sequence[RunConfig]) -> Iterator[None]:
        """Enclose all runs of a comparison."""
        for line in finished_before(planned, todo):
            self._say(line)
        with self.bars:
            yield

    @contextlib.contextmanager
    def watching(self, config: RunConfig, folder: Path) -> Iterator[Watch]:
        """Enclose one run with a bar that counts epochs."""
        task = self.bars.add_task(
            f"{config.label} seed {config.seed}", total=config.training.epochs, state=""
        )
        yield _BarWatch(self.bars, task)
        self.bars.remove_task(task)

    def finished(self, record: Record) -> None:
        """Print one line about a finished run."""
        self._say(describe(record))

    def told(self, line: str) -> None:
        """Print it."""
        self._say(line)

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True, markup=False)


class _BarWatch(Watch):
    def __init__(self, bars: Bars, task: Any) -> None:
        self.bars, self.task, self.valid = bars, task, ""

    def batch(self, means: dict[str, Any]) -> None:
        state = f"train {shares(means, 'train')}{self.valid}"
        self.bars.update(self.task, state=state)

    def epoch(self, entry: dict[str, Any]) -> None:
        self.valid = f" | valid {shares(entry, 'valid')}"
        self.bars.advance(self.task)


def finished_before(planned: Sequence[RunConfig], todo: Sequence[RunConfig]) -> list[str]:
    """Return a line about the runs that are finished already, if there are any."""
    n_done = len(planned) - len(todo)
    return [f"{n_done} of {len(planned)} runs are finished already and are read, not repeated"][: n_done > 0]


def shares(values: dict[str, Any], prefix: str) -> str:
    """Return accuracy, mean step and forced share of "train" or "valid" as text."""
    return (
        f"{100 * values[f'{prefix}_accuracy']:.1f} % at step {values[f'{prefix}_mean_step']:.2f}, "
        f"{100 * values[f'{prefix}_forced']:.1f} % forced"
    )


def describe(record: Record) -> str:
    """Return one line about a run."""
    name = f"{record.label} seed {record.seed}"
    if record.status == "skipped" and record.history:  # a trial of a search
        accuracy, step = (valid_number(record, number) for number in (ACCURACY, MEAN_STEP))
        return f"{name}: valid accuracy {100 * accuracy:.2f} % at mean decision step {step:.2f}"
    if record.status != "done":
        return f"{name}: {record.status}: {record.reason}"
    metrics = record.metrics
    return (
        f"{name}: test accuracy {100 * metrics['accuracy']:.2f} % at mean decision step "
        f"{metrics['mean_step']:.2f} of 0..{metrics['n_steps'] - 1} "
        f"({100 * metrics['forced']:.2f} % forced), "
        f"{metrics['parameters']:,} parameters, trained in {metrics['train_seconds']:.0f} s"
    )
