"""What TensorBoard reads of trainings while they go on: one folder of events per run."""

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rc_vs_snn.config import RunConfig
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.progress import Progress, Watch
from rc_vs_snn.records import PROVENANCE, Record

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Progress):
    """Writes every epoch's loss, accuracy, mean step, forced share and learning rate for TensorBoard.

    The numbers are those of ``history.json``, at their epochs. Events are written by the process that the
    command runs in, whatever the number of jobs. A run that is made again hides what it left before.

    Args:
        folder: where the folders of events are made, apart from the runs' own folders.
        shown: what is shown besides.
        below: the folder of the runs: what a run's folder is called there is what its events are called;
            else the name of a run's folder alone.

    Raises:
        InputError: TensorBoard is not installed; when a run starts: the folder cannot be written, or its
            events and a run folder would lie in each other.
    """

    def __init__(
        self, folder: Path | str, shown: Progress | None = None, *, below: Path | str | None = None
    ) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise InputError(
                "to write events for TensorBoard install it: pip install 'rc_vs_snn[tensorboard]'"
            ) from error
        self._make = SummaryWriter
        self.folder = Path(folder).resolve()
        self.shown = shown or Progress()
        self.below = None if below is None else Path(below).resolve()

    @contextlib.contextmanager
    def session(self, planned: Sequence[RunConfig], todo: Sequence[RunConfig]) -> Iterator[None]:
        """See ``Progress``."""
        with self.shown.session(planned, todo):
            yield

    @contextlib.contextmanager
    def watching(self, config: RunConfig, folder: Path) -> Iterator[Watch]:
        """Enclose one run with a writer of its events."""
        with contextlib.closing(self._writer(folder)) as writer, self.shown.watching(config, folder) as watch:
            writer.add_text("configuration", _as_text(config))
            yield _Written(watch, writer)

    def finished(self, record: Record) -> None:
        """See ``Progress``."""
        self.shown.finished(record)

    def told(self, line: str) -> None:
        """See ``Progress``."""
        self.shown.told(line)

    def _writer(self, run: Path) -> "SummaryWriter":
        run = run.resolve()
        named = self.below is not None and run.is_relative_to(self.below) and run != self.below
        events = self.folder / (run.relative_to(self.below) if named and self.below else run.name)
        inside = any((each / PROVENANCE).is_file() for each in (events, *events.parents))  # of another run
        if inside or events.is_relative_to(run) or run.is_relative_to(events):
            raise InputError(
                f"events for TensorBoard in {events} would lie in a run folder or around {run}; give "
                f"another folder, such as {run.parent / 'tensorboard'}"
            )
        # TensorBoard reads files by their names, which begin with the second of their making, and
        # hides only what came before.
        taken = {path.name.split(".")[3] for path in events.glob("events.out.tfevents.*")}
        while f"{int(time.time()):010d}" in taken:
            time.sleep(0.05)
        try:
            return self._make(str(events), purge_step=0)
        except OSError as error:
            raise InputError(
                f"cannot write events for TensorBoard to {events} ({error.strerror or error}); give another "
                "folder"
            ) from error


def _as_text(config: RunConfig) -> str:
    return f"```json\n{json.dumps(config.to_table(), indent=2, default=str)}\n```"


@dataclass
class _Written(Watch):
    watch: Watch
    writer: "SummaryWriter"

    def batch(self, means: dict[str, Any]) -> None:
        self.watch.batch(means)

    def epoch(self, entry: dict[str, Any]) -> None:
        for name, value in entry.items():
            if name != "epoch":
                self.writer.add_scalar(_tag(name), value, entry["epoch"])
        self.writer.flush()
        self.watch.epoch(entry)


def _tag(name: str) -> str:
    """Return what a number of the history is called: those of train and valid beside each other."""
    split, _, rest = name.partition("_")
    return f"{rest}/{split}" if split in ("train", "valid") else name
