"""Run folders appear whole, by a rename, or not at all."""

import contextlib
import ctypes
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rc_vs_snn.errors import InputError
from rc_vs_snn.records.layout import FILES, PROVENANCE


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a hidden working folder beside ``target`` and rename it to ``target`` on success.

    On any error or interruption the working folder is removed and ``target`` is as it was.

    Args:
        target: the final folder.
        replace: whether an existing ``target`` is replaced, if it is a run folder and holds nothing else.

    Raises:
        InputError: ``target`` exists and may not be replaced, or its parent cannot be written.
    """
    target = Path(target)
    if os.path.lexists(target):
        if not replace:
            raise InputError(f"{target} exists already; choose another --out or delete it")
        _require_ours(target)
    working = target.parent / f".{target.name}.partial-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_leftovers(target)
        working.mkdir()
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"cannot write {target}: {getattr(error, 'strerror', None) or error}; choose a writable --out "
            "with free space"
        ) from error
    try:
        yield working
        _put_in_place(working, target)
    except OSError as error:
        raise InputError(
            f"writing {target} failed: {error.strerror or error}; nothing was kept there, free some space or "
            "choose another --out"
        ) from error
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _require_ours(folder: Path) -> None:
    """Raise InputError unless a folder is one that this toolkit wrote and holds nothing else, or is empty."""
    if folder.is_symlink() or not folder.is_dir():
        raise InputError(f"{folder} is no folder of ours and is not replaced; choose another --out")
    found = {path.name for path in folder.iterdir() if path.is_file()}
    foreign = sorted({path.name for path in folder.iterdir()} - (found & FILES))
    if foreign or (found and PROVENANCE not in found):
        what = ", ".join(foreign[:3]) or f"no {PROVENANCE}"
        raise InputError(
            f"{folder} was not written by this toolkit alone ({what}) and is not replaced; choose another "
            "--out, or delete it yourself"
        )


def _put_in_place(working: Path, target: Path) -> None:
    """Rename ``working`` to ``target``; what was there goes last, and comes back if the renaming fails."""
    if not os.path.lexists(target):
        working.rename(target)
        return
    _require_ours(target)  # again: hours may have passed
    before = target.parent / f".{target.name}.replaced-{os.getpid()}"
    target.rename(before)
    try:
        working.rename(target)
    except BaseException:
        before.rename(target)
        raise
    shutil.rmtree(before)


def require_space(folder: Path, n_bytes: int) -> None:
    """Raise InputError if the disk of ``folder`` has fewer than ``n_bytes`` free.

    Asked before a training, so that hours of it are not lost to a full disk at the end.
    """
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise InputError(
            f"{folder.parent} has {free / 1e6:.0f} MB free and a run needs about {n_bytes / 1e6:.0f} MB; "
            "free some space or choose another --out"
        )


def _clear_leftovers(target: Path) -> None:
    """Remove working folders of ``target`` whose process is gone (killed before it could clean up)."""
    for leftover in target.parent.iterdir():
        owner = leftover.name.removeprefix(f".{target.name}.partial-")
        if owner != leftover.name and owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(leftover, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # where os.kill asks nothing, but ends the process
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is there, but not ours
        return True
    return True


def _is_alive_on_windows(pid: int) -> bool:
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (a type checker knows it on Windows only)
    synchronize, timed_out = 0x00100000, 0x00000102
    handle = kernel.OpenProcess(synchronize, False, pid & 0xFFFFFFFF)
    if not handle:
        return False
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == timed_out)
    finally:
        kernel.CloseHandle(handle)
