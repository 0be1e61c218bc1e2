"""Files that one process has at a time: exactly one of many that want it, on whatever machines they run.

A lease tells who has it, and outlives no owner: where the file system has locks, the system gives them back;
and it is over when its process is gone from this machine, or when one of another machine has not touched the
file for ``STALE_S``.

- It appears by a hard link to a file that is written already, which fails if the name is there.
- One that is over is not removed, since by then it might be another's. Who takes it over makes the link under
  a name that only the successor of this very lease has (its token is in it), makes sure that nothing has
  changed meanwhile, and renames it to the lease's name. Who dies in between is succeeded in the same way.
"""

import contextlib
import errno
import json
import os
import sys
import uuid
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rc_vs_snn.records.owners import Owner

STALE_S = 120.0
"""Longer than a minute, for which a network's file system may remember an older time, and some beats."""
LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and nobody may read those: one far behind the text."""
TAKEN = (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK)
NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)
GONE = (errno.ENOENT, errno.ESTALE, errno.ENOTDIR)


@dataclass(frozen=True, eq=False)
class Lease:
    """A lease of this process: its name, the file that the system has locked for it, and its token."""

    path: Path
    file: int
    token: str

    @property
    def is_ours(self) -> bool:
        """Whether nobody has taken it over."""
        return self._lying is not None

    def touch(self) -> None:
        """Show that its owner lives."""
        with contextlib.suppress(OSError):
            if (lying := self._lying) is not None:
                os.utime(lying.path)

    def give_back(self) -> None:
        """Let another process have it."""
        if sys.platform == "win32":
            os.close(self.file)  # no open file can be removed there
            _making_of(self.path, self.token).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            if (lying := self._lying) is not None:
                lying.path.unlink()
        if sys.platform != "win32":
            os.close(self.file)

    @property
    def _lying(self) -> "Lying | None":
        return next((each for each in lying_at(self.path)[-1:] if each.token == self.token), None)


@dataclass(frozen=True)
class Lying:
    """A lease as it lies on the disk, whoever has it.

    Attributes:
        path: where.
        token: tells it from every other lease.
        owner: who has it, if it says so.
        since: when it was taken, as text.
        touched: when its owner last touched it, by the clock of the file system.
    """

    path: Path
    token: str
    owner: Owner | None
    since: str
    touched: float

    @property
    def successor(self) -> Path:
        """The name under which it is taken over."""
        return self.path.with_name(f"{self.path.name.partition('.after-')[0]}.after-{self.token}")

    @property
    def is_locked(self) -> bool:
        """Whether the system says that its owner lives; False where it does not say."""
        return _is_locked(self.path)

    def has_ended(self, now: float) -> bool:
        """Return whether nobody has it any more, at a time by the clock of the file system."""
        if self.is_locked:
            return False
        if self.owner is not None and self.owner.is_here:
            return self.owner.is_gone
        return now - self.touched > STALE_S


def lying_at(path: Path) -> list[Lying]:
    """Return the lease of a name and those that took it over, one after another; the last one counts."""
    found: list[Lying] = []
    while (lying := _look(path)) is not None:
        found.append(lying)
        path = lying.successor
    return found


def claimed(path: Path) -> Lease | None:
    """Take the lease of a name; return None if another process has it.

    Raises:
        OSError: no file can be made there.
    """
    token = uuid.uuid4().hex
    ours = _making_of(path, token)
    file = os.open(ours, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    won = False
    try:
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        text = json.dumps({**asdict(Owner.of_this_process()), "since": since, "token": token})
        os.write(file, text.encode())
        _lock(file)
        won = _put(ours, path, token, os.fstat(file).st_mtime)
        return Lease(path, file, token) if won else None
    finally:
        if not won:
            os.close(file)
        with contextlib.suppress(OSError):  # on Windows it goes when it is closed
            ours.unlink(missing_ok=True)


def _making_of(path: Path, token: str) -> Path:
    return path.with_name(f"{path.name}.{token}")


def _put(ours: Path, path: Path, token: str, now: float) -> bool:
    """Return whether our file is the lease of a name now."""
    before = lying_at(path)
    if before and not before[-1].has_ended(now):
        return False
    place = before[-1].successor if before else path
    if not _linked(ours, place):
        return False
    if [each.token for each in lying_at(path)] != [*(each.token for each in before), token]:
        place.unlink(missing_ok=True)  # what we found had been taken over meanwhile
        return False
    if before:
        with contextlib.suppress(OSError):  # then it goes on under its other name
            place.replace(path)
            for each in before[1:]:
                each.path.unlink(missing_ok=True)
    return True


def _look(path: Path) -> Lying | None:
    try:
        with path.open("rb") as file:  # to open it asks a network's file system for the time as it is
            status, text = os.fstat(file.fileno()), file.read()
    except OSError as error:
        if error.errno in GONE:
            return None
        status, text = path.stat(), b""  # another user's
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    table = found if isinstance(found, dict) else {}
    token = table.get("token")
    if not isinstance(token, str) or not token.isalnum():
        token = f"{status.st_ino:x}x{status.st_mtime_ns:x}"  # of an older version, or not written yet
    return Lying(path, token, Owner.from_table(table), str(table.get("since", "")), status.st_mtime)


def _linked(ours: Path, place: Path) -> bool:
    """Return whether ``place`` is our file now; False if it was there before."""
    try:
        os.link(ours, place)
    except FileExistsError:
        with contextlib.suppress(OSError):  # over a network a link may be made, and its answer lost
            return os.path.samestat(ours.stat(), place.stat())
        return False
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        return _written(place, ours.read_bytes())
    return True


def _written(place: Path, text: bytes) -> bool:
    """Make a file as ``_linked`` does where there are no hard links: for a moment it is there and empty."""
    try:
        file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        return False
    try:
        os.write(file, text)
    finally:
        os.close(file)
    return True


def _lock(file: int) -> None:
    """Let the system tell others that the owner of a file lives; some file systems cannot."""
    with contextlib.suppress(OSError):
        _ask_for_lock(file, shared=False)


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    except OSError:
        return False
    try:
        _ask_for_lock(file, shared=True)
    except OSError as error:
        return error.errno in TAKEN
    finally:
        os.close(file)
    return False


def _ask_for_lock(file: int, shared: bool) -> None:
    """Lock an open file; those that only ask share it, so that they are not in each other's way.

    Raises:
        OSError: another process has locked it, or this file system has no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        os.lseek(file, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
