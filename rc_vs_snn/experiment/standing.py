"""How the runs below a folder stand: read from what lies there, whoever makes them, and on which machine."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.leases import Lying
from rc_vs_snn.experiment.locks import holder
from rc_vs_snn.records import DECISIONS, HISTORY, PROVENANCE, TRACE, read_record
from rc_vs_snn.records.checking import read_marker
from rc_vs_snn.records.folders import partial_folder
from rc_vs_snn.records.plans import Meant, is_plan, read_plan
from rc_vs_snn.records.underway import Stage, read_stages

State = Literal["done", "running", "failed", "skipped", "interrupted", "damaged", "waiting"]
STATES: tuple[State, ...] = ("done", "running", "failed", "skipped", "interrupted", "damaged", "waiting")
TO_COME: tuple[State, ...] = ("running", "interrupted", "damaged", "waiting")
"""States of runs that the command that meant them makes yet."""
LEFT_BY_A_RUN = frozenset({PROVENANCE, HISTORY, DECISIONS, TRACE})


@dataclass(frozen=True)
class Standing:
    """How one run stands.

    Attributes:
        folder: its folder, there or not.
        state: done; running; failed or skipped (with its reason); interrupted: its process is gone and has
            left a part; damaged: done, and not whole any more; waiting: meant, and not begun.
        label, seed: of its configuration, as far as they are known.
        epoch, epochs: how many are done, of how many, when it is running or was interrupted.
        host, pid: whose it is, when it is running.
        since: when it was begun (ISO 8601, UTC).
        reason: why it failed, was skipped, or is damaged.
        seconds: how long it took; of a running one, how long it has taken up to ``epoch``.
    """

    folder: Path
    state: State
    label: str = ""
    seed: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    host: str = ""
    pid: int | None = None
    since: str = ""
    reason: str = ""
    seconds: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """How long it takes yet if its epochs take as long as those before; None if none is done."""
        if not (self.epoch and self.epochs and self.seconds is not None):
            return None
        return self.seconds / self.epoch * max(self.epochs - self.epoch, 0)


@dataclass(frozen=True)
class Status:
    """How all runs below a folder stand.

    Attributes:
        runs: each of them, by folder, in the order of the comparisons that mean them.
    """

    runs: tuple[Standing, ...]

    def count(self, *states: State) -> int:
        """Return how many runs are in one of some states."""
        counted = Counter(run.state for run in self.runs)
        return sum(counted[state] for state in states)

    @property
    def at_once(self) -> int:
        """How many runs are made at once: those that are running; if none is, one."""
        return max(self.count("running"), 1)

    @property
    def seconds_left(self) -> float | None:
        """How long all that is to come takes, with as many runs at once as now; None if nothing tells.

        A run takes as long as the finished ones of its label did on average, else as all finished ones did,
        else as the running ones will, by their epochs so far.
        """
        known: dict[str, list[float]] = {}
        for run in self.runs:
            if run.state == "done" and run.seconds is not None:
                known.setdefault(run.label, []).append(run.seconds)
        running = [run for run in self.runs if run.state == "running"]
        whole = [run.seconds_left + (run.seconds or 0) for run in running if run.seconds_left is not None]
        usual = _mean([seconds for label in known.values() for seconds in label] or whole)
        left: list[float] = []
        for run in self.runs:
            if run.state in TO_COME:
                expected = _mean(known.get(run.label, [])) or usual
                rest = run.seconds_left if run.state == "running" else None
                if rest is None and expected is not None:
                    rest = max(expected - (run.seconds or 0), 0) if run.state == "running" else expected
                if rest is None:
                    return None
                left.append(rest)
        n_running = len(running)
        longest = max((each for each in left), default=0.0)
        return max(sum(left) / max(n_running, 1), longest)


def status(folder: Path | str) -> Status:
    """Return how every run below a folder stands.

    Raises:
        InputError: there is no such folder, or no run in it, nor any that is meant.
    """
    root = Path(folder)
    try:
        places = sorted(_places(root), key=lambda place: str(place.folder))
        found = tuple(run for place in places for run in place.runs())
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = "does not exist" if missing else f"cannot be read ({error.strerror})"
        raise InputError(f"{root} {why}; give a folder of runs") from error
    if not found:
        raise InputError(f"{root} holds no run, and none is meant to be there; run `rc-vs-snn compare` first")
    return Status(found)


@dataclass
class _Place:
    """A folder of runs, listed once: names of run folders, of runs with a lock, and with a part left."""

    folder: Path
    whole: set[str] = field(default_factory=set)
    locked: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)
    meant: dict[str, Meant] = field(default_factory=dict)

    def runs(self) -> Iterator[Standing]:
        others = {*self.whole, *self.locked, *self.begun} - self.meant.keys()
        for name in (*self.meant, *sorted(others)):
            if (run := self._run(name)) is not None:
                yield run

    def _run(self, name: str) -> Standing | None:
        folder, meant = self.folder / name, self.meant.get(name)
        known: dict[str, Any] = {"label": meant.label, "seed": meant.seed} if meant else {}
        lock = holder(folder) if name in self.locked else None
        stage = next(iter(read_stages(folder)), None) if name in self.begun else None
        if lock is not None:
            return _underway(folder, "running", stage, known, lock)
        # It may have ended since the folder was listed.
        begun = name in self.begun and partial_folder(folder).is_dir()
        if name in self.whole or ((name in self.locked or name in self.begun) and _is_run(folder)):
            recorded = _as_recorded(folder, known)
            if recorded.state == "done" or not begun:
                return recorded
        if begun:
            return _underway(folder, "interrupted", stage, known)
        return Standing(folder, "waiting", **known) if meant else None  # a lock that a kill has left


def _places(root: Path) -> Iterator[_Place]:
    """Yield every folder of runs at or below ``root``."""
    todo, seen = [root], set()
    while todo:
        place = _Place(todo.pop())
        with os.scandir(place.folder) as entries:
            for entry in entries:
                name = entry.name
                if name in LEFT_BY_A_RUN:  # it is a run itself
                    folder = place.folder.absolute()
                    yield _Place(folder.parent, whole={folder.name}, locked={folder.name})
                    break
                if is_plan(name):
                    place.meant.update((run.folder, run) for run in read_plan(Path(entry.path)))
                elif name.startswith(".") and name.endswith(".lock") and len(name) > len("..lock"):
                    place.locked.add(name[1 : -len(".lock")])
                elif name.startswith(".") and name.endswith(".partial"):
                    place.begun.add(name[1 : -len(".partial")])
                elif not name.startswith(".") and entry.is_dir():
                    number = entry.inode(), entry.is_symlink()
                    if _is_run(Path(entry.path)):
                        place.whole.add(name)
                    elif not entry.is_symlink() and number not in seen:
                        seen.add(number)
                        todo.append(Path(entry.path))
            else:
                yield place


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_file() for name in (PROVENANCE, *sorted(LEFT_BY_A_RUN)))


def _as_recorded(folder: Path, known: dict[str, Any]) -> Standing:
    """Return how a run that has ended stands; its files are checked as planning checks them."""
    try:
        marker = read_marker(folder)
        if not known:
            record = read_record(folder, quick=True)
            known = {"label": record.label, "seed": record.seed}
    except InputError as error:
        return Standing(folder, "damaged", reason=str(error), **known)
    seconds = marker.get("seconds")
    return Standing(
        folder, marker["status"], since=str(marker.get("started", "")), reason=marker.get("reason", ""),
        seconds=float(seconds) if isinstance(seconds, int | float) else None, **known,
    )  # fmt: skip


def _underway(
    folder: Path, state: State, stage: Stage | None, known: dict[str, Any], lock: Lying | None = None
) -> Standing:
    owner = lock.owner if lock else None
    named: dict[str, Any] = {"host": owner.host, "pid": owner.pid} if owner else {}
    if stage is None:  # it has just been begun
        return Standing(folder, state, since=lock.since if lock else "", **named, **known)
    known = known or {"label": stage.label, "seed": stage.seed}
    since = datetime.fromtimestamp(stage.started, UTC).isoformat(timespec="seconds")
    return Standing(
        folder, state, epoch=stage.epoch, epochs=stage.epochs, since=since,
        seconds=stage.told - stage.started, **named, **known,
    )  # fmt: skip


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None
