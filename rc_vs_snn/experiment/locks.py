"""One command at a time in a folder, on one machine or on many that share its file system.

While a command writes, it holds a lock: a small file (``leases``), which it touches every ``BEAT_S``.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.leases import STALE_S, Lease, Lying, claimed, lying_at

PATIENCE_S = 5.0
"""How long is waited for an owner: one that was told to end needs some seconds to clear up."""
RETRY_S = 0.1
BEAT_S = 20.0
"""How often an owner touches its locks."""


@contextlib.contextmanager
def locked_folder(out: Path) -> Iterator[None]:
    """Hold a folder of run folders (or of model folders), made if missing, for one command.

    Raises:
        InputError: another command holds it.
    """
    with _locked(out / ".lock", out, PATIENCE_S):
        yield


@contextlib.contextmanager
def locked_run(folder: Path, patience_s: float | None = None) -> Iterator[None]:
    """Hold the folder of one run, whether it is there already or not.

    Args:
        folder: of the run.
        patience_s: how long is waited for whoever holds it (default: ``PATIENCE_S``).

    Raises:
        InputError: another command holds it.
    """
    with _locked(_lock_of(folder), folder, PATIENCE_S if patience_s is None else patience_s):
        yield


def require_held(folder: Path) -> None:
    """Raise InputError if this process has lost the run that it is making: it stood still for too long."""
    path = _lock_of(folder).absolute()
    for lock in list(_held):
        if lock.path.absolute() == path and not lock.is_ours:
            raise InputError(
                f"{folder} was taken over by {_told(path)}, since this process did not show itself "
                f"for {STALE_S:.0f} s; what it made is dropped"
            )


def holder(folder: Path) -> Lying | None:
    """Return the lock of a run that somebody holds now, None if nobody does."""
    chain = lying_at(_lock_of(folder))
    return None if not chain or chain[-1].has_ended(time.time()) else chain[-1]


def _lock_of(folder: Path) -> Path:
    return folder.parent / f".{folder.name}.lock"


@contextlib.contextmanager
def _locked(path: Path, what: Path, patience_s: float) -> Iterator[None]:
    made = [parent for parent in path.parents if not parent.exists()]
    lock = None
    try:
        # Where no file can be made nothing can be replaced either; whoever writes will say so.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _waited_for(path, what, patience_s)
            _beat_for(lock)
        yield
    finally:
        if lock is not None:
            _held.discard(lock)
            lock.give_back()
        for folder in made:  # that nothing was written to
            with contextlib.suppress(OSError):
                folder.rmdir()


def _waited_for(path: Path, what: Path, patience_s: float) -> Lease:
    deadline = time.monotonic() + patience_s
    while (lock := claimed(path)) is None:
        if time.monotonic() > deadline:
            raise InputError(
                f"{what} is in use by {_told(path)}; wait until that has ended, or choose another --out"
            )
        time.sleep(RETRY_S)
    return lock


def _told(path: Path) -> str:
    last = next(iter(lying_at(path)[-1:]), None)
    if last is None or last.owner is None:  # just given back, or not ours
        return "another process"
    told = f"process {last.owner.pid} on {last.owner.host} since {last.since}"
    if last.owner.is_here or last.is_locked:
        return told
    return f"{told} (if that has died, {STALE_S:.0f} s after that it is in nobody's way)"


_held: set[Lease] = set()
_beating: list[threading.Thread] = []


def _beat_for(lock: Lease) -> None:
    """Touch a lock from now on, until it is no longer among those that are held."""
    _held.add(lock)
    if not any(thread.is_alive() for thread in _beating):  # nor are they in a process that was forked
        _beating[:] = [threading.Thread(target=_beat, name="locks", daemon=True)]
        _beating[0].start()


def _beat() -> None:
    while True:
        time.sleep(BEAT_S)
        for lock in list(_held):
            lock.touch()
