"""One command at a time in a folder.

A lock is a file that the operating system locks, so none outlives its owner, however that ends. The file
tells who holds it, and is removed when the lock is given back.
"""

import contextlib
import errno
import json
import os
import socket
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rc_vs_snn.errors import InputError

PATIENCE_S = 5.0
"""How long is waited for an owner: one that was told to end needs some seconds to clear up."""
RETRY_S = 0.1
LOCKED_BYTE = 1 << 30
"""Windows locks bytes, and nobody may read those: one far behind the text."""


@contextlib.contextmanager
def locked_folder(out: Path) -> Iterator[None]:
    """Hold a folder of run folders (or of model folders), made if missing, for one command.

    Raises:
        InputError: another command holds it.
    """
    with _locked(out / ".lock", out):
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
    with _locked(folder.parent / f".{folder.name}.lock", folder, patience_s):
        yield


@contextlib.contextmanager
def _locked(path: Path, what: Path, patience_s: float | None = None) -> Iterator[None]:
    made = [parent for parent in path.parents if not parent.exists()]
    deadline = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
    while (lock := _try(path, what)) is None:
        if time.monotonic() > deadline:
            raise InputError(
                f"{what} is in use by {_owner(path)}; wait until that has ended, or choose another --out"
            )
        time.sleep(RETRY_S)
    try:
        yield
    finally:
        if lock >= 0:
            _give_back(lock, path)
        for folder in made:  # that nothing was written to
            with contextlib.suppress(OSError):
                folder.rmdir()


def _try(path: Path, what: Path) -> int | None:
    """Return the descriptor of the locked file; None if another process has it, -1 if there can be none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return -1  # where no file can be made nothing can be replaced; whoever writes will say so
    try:
        if not _lock(lock) or not _is_at(lock, path):
            os.close(lock)
            return None
    except OSError as error:
        warnings.warn(
            f"{what} cannot be locked ({error.strerror}); run no two commands in it at once", stacklevel=2
        )
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    owner = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    with contextlib.suppress(OSError):  # a full disk
        os.ftruncate(lock, 0)
        os.lseek(lock, 0, os.SEEK_SET)
        os.write(lock, owner.encode())
    return lock


def _lock(lock: int) -> bool:
    """Return whether the file is ours now; False if another process has it.

    Raises:
        OSError: this file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(lock, LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK):
            return False
        raise
    return True


def _is_at(lock: int, path: Path) -> bool:
    """Return whether the locked file is still the one of that name: its last owner removes it."""
    try:
        return os.path.samestat(os.fstat(lock), path.stat())
    except FileNotFoundError:
        return False


def _give_back(lock: int, path: Path) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            os.close(lock)  # no open file can be removed there; if somebody has it open by now, it stays
            path.unlink()
        else:
            path.unlink()
            os.close(lock)


def _owner(path: Path) -> str:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, LookupError, TypeError):  # just taken, just given back, or not ours
        return "another process"
