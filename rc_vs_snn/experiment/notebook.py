"""What a notebook shows while runs go on: one cell's output that is drawn anew in place, without widgets."""

import contextlib
import html
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rc_vs_snn.config import RunConfig
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.progress import Progress, Watch, describe, finished_before, shares
from rc_vs_snn.records import Record

DRAWN_EVERY_S = 0.3


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return hasattr(ipython.get_ipython(), "kernel") if ipython is not None else False


def fitting_progress() -> Progress:
    """Return what the Python API shows unless told otherwise: what goes on in a notebook, else nothing."""
    return NotebookProgress() if in_notebook() else Progress()


class NotebookProgress(Progress):
    """A bar for every run that goes on and a line for every finished one, in the output of a cell.

    Raises:
        InputError: IPython is not there.
    """

    def __init__(self) -> None:
        try:
            from IPython.display import display
        except ImportError as error:
            raise InputError(
                "progress in a notebook needs IPython: pip install 'rc_vs_snn[notebook]'"
            ) from error
        self._display: Any = display
        self._lines: list[str] = []
        self._bars: list[_Bar] = []
        self._handle: Any = None
        self._drawn = -DRAWN_EVERY_S

    @contextlib.contextmanager
    def session(self, planned: Sequence[RunConfig], todo: Sequence[RunConfig]) -> Iterator[None]:
        """Enclose all runs of a comparison."""
        self._lines = finished_before(planned, todo)
        self._handle = self._display(self._bundle(), raw=True, display_id=True)
        try:
            yield
        finally:
            self.draw(at_once=True)

    @contextlib.contextmanager
    def watching(self, config: RunConfig, folder: Path) -> Iterator[Watch]:
        """Enclose one run with a bar that counts epochs."""
        bar = _Bar(self, config)
        self._bars.append(bar)
        self.draw()
        try:
            yield bar
        finally:
            self._bars.remove(bar)

    def finished(self, record: Record) -> None:
        """Keep one line about a finished run."""
        self.told(describe(record))

    def told(self, line: str) -> None:
        """Keep it."""
        self._lines.append(line)
        self.draw(at_once=True)

    def draw(self, at_once: bool = False) -> None:
        """Draw the output anew, if it is due."""
        now = time.monotonic()
        if at_once or now - self._drawn >= DRAWN_EVERY_S:
            self._drawn = now
            self._handle.update(self._bundle(), raw=True)

    def _bundle(self) -> dict[str, str]:
        lines = "".join(f"<div>{html.escape(line)}</div>" for line in self._lines)
        bars = "".join(bar.html() for bar in self._bars)
        texts = [*self._lines, *(bar.text for bar in self._bars)]
        return {"text/html": f"<div>{lines}{bars}</div>", "text/plain": "\n".join(texts)}


@dataclass
class _Bar(Watch):
    progress: NotebookProgress
    config: RunConfig
    n_epochs: int = 0
    train: str = ""
    valid: str = ""

    def batch(self, means: dict[str, Any]) -> None:
        self.train = f"train {shares(means, 'train')}"
        self.progress.draw()

    def epoch(self, entry: dict[str, Any]) -> None:
        self.n_epochs += 1
        self.valid = f"valid {shares(entry, 'valid')}"
        self.progress.draw()

    @property
    def text(self) -> str:
        """One line about the run."""
        state = " | ".join(part for part in (self.train, self.valid) if part)
        total = self.config.training.epochs
        return f"{self.config.label} seed {self.config.seed}: epoch {self.n_epochs}/{total} {state}"

    def html(self) -> str:
        """The line behind a bar."""
        share = f'<progress value="{self.n_epochs}" max="{self.config.training.epochs}"></progress>'
        return f"<div>{share} {html.escape(self.text)}</div>"
