"""Download a file from the first mirror that has it whole.

pooch does the work: it retries, checks the md5, and moves a file into place only when it is complete.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import DownloadColumn, Progress, TaskID

from rc_vs_snn.errors import InputError

RETRIES = 1
TIMEOUT_S = 30
CHUNK_BYTES = 1 << 16


def fetch(name: str, md5: str, mirrors: Sequence[str], folder: Path) -> Path:
    """Download ``name`` into ``folder``, trying each mirror in turn.

    A progress bar is drawn on stderr where that is a terminal.

    Args:
        name: the file's name, the same on every mirror.
        md5: its checksum; a file with another one is thrown away.
        mirrors: base URLs ending in a slash.
        folder: where to put it; made if need be.

    Returns:
        The path of the complete file.

    Raises:
        InputError: no mirror gave the file, with each one's reason. Nothing is left behind, nor is it by an
            interrupt.
    """
    import pooch  # here, since only a download needs it

    reasons = []
    pooch.get_logger().setLevel("ERROR")  # the bar says it
    for mirror in mirrors:
        source = pooch.create(
            path=folder, base_url=mirror, registry={name: f"md5:{md5}"}, retry_if_failed=RETRIES
        )
        console = Console(stderr=True)
        columns = (*Progress.get_default_columns(), DownloadColumn())
        with (
            _removed_if_new_and_empty(folder),
            Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress,
        ):
            bar = _Bar(progress, progress.add_task(name, total=None))
            downloader = pooch.HTTPDownloader(bar, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S)
            try:
                return Path(source.fetch(name, downloader=downloader))
            except (ValueError, OSError) as error:  # another checksum; no network, HTTP error, full disk
                reasons.append(f"{mirror} ({_reason(error)})")
    raise InputError(f"{name} could not be downloaded from any of: {', '.join(reasons)}")


@contextlib.contextmanager
def _removed_if_new_and_empty(folder: Path) -> Iterator[None]:
    was_there = folder.exists()
    try:
        yield
    finally:
        if not was_there:
            with contextlib.suppress(OSError):  # it holds a file, as it should, or was never made
                folder.rmdir()


def _reason(error: Exception) -> str:
    from requests import ConnectionError, Timeout

    if isinstance(error, Timeout):
        return f"no answer within {TIMEOUT_S} s"
    if type(error) is ConnectionError:  # its kinds (proxy, certificate) speak for themselves
        return "no connection"
    if "hash" in str(error):
        return "its md5 is not the published one"
    return f"{type(error).__name__}: {error}"


class _Bar:
    """What pooch asks of a progress bar, drawn by rich."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    @property
    def total(self) -> float | None:
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, n_bytes: int) -> None:
        self._progress.update(self._task, total=n_bytes or None, completed=0)

    def update(self, n_bytes: int) -> None:
        self._progress.advance(self._task, n_bytes)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        self._progress.stop_task(self._task)
