"""Run folders appear whole, by a rename, or not at all.

What is in the making lies in ``.<name>.partial/`` beside the folder, under a name that tells whose it is, so
that no two processes write one file, on whatever machines they run.
"""

import contextlib
import errno
import functools
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from rc_vs_snn.errors import InputError
from rc_vs_snn.records.layout import FILES, PROVENANCE
from rc_vs_snn.records.owners import Owner, host_tag, is_alive

REPLACED = "replaced-"
TAG = re.compile(rf"\.?(?:{REPLACED})?(\d+)@([\w.-]+?)(?:\.json(?:\.[0-9a-f]+)?)?")
"""Names in ``.<name>.partial/``: a working folder, what is told of it, and what it takes the place of."""
OLD = re.compile(r"\.(.+)\.(?:partial|replaced)-(\d+)")
"""Names that older versions gave them, beside the folder; the number tells no machine."""
REMOVED_WHILE_OPEN = ".nfs"
"""How names begin that a network's file system keeps until nobody reads the file any more."""


@contextlib.contextmanager
def atomic_folder(target: Path, *, replace: bool = False, held: bool = False) -> Iterator[Path]:
    """Yield a hidden working folder beside ``target`` and rename it to ``target`` on success.

    On any error or interruption the working folder is removed and ``target`` is as it was.

    Args:
        target: the final folder.
        replace: whether an existing ``target`` is replaced, if it is a run folder and holds nothing else.
        held: the caller holds the lock of ``target``, so that whatever others have left of it is nobody's;
            else only what processes of this machine have left that are gone is cleared.

    Raises:
        InputError: ``target`` exists and may not be replaced, or its parent cannot be written.
    """
    target = Path(target)
    working = partial_folder(target) / Owner.of_this_process().tag
    with _named(target):
        if os.path.lexists(target):
            _require_replaceable(target, replace)
        try:
            working.parent.mkdir(parents=True, exist_ok=True)
            _clear_leftovers(target, held)
            if os.path.lexists(target):  # it may be among them
                _require_replaceable(target, replace)
            working.mkdir(parents=True)  # who has emptied the folder above may have removed it
        except BaseException:
            _remove_if_empty(working.parent)
            raise
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
        with contextlib.suppress(OSError):
            told_of(working).unlink(missing_ok=True)
        _remove_if_empty(working.parent)


@contextlib.contextmanager
def _named(target: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"cannot write {target}: {getattr(error, 'strerror', None) or error}; choose a writable --out "
            "with free space"
        ) from error


def _require_replaceable(target: Path, replace: bool) -> None:
    if not replace:
        raise InputError(f"{target} exists already; choose another --out or delete it")
    _require_ours(target)


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError, ValueError):
        folder.rmdir()


def partial_folder(target: Path) -> Path:
    """Return where the working folders of a run folder lie."""
    return target.parent / f".{target.name}.partial"


def told_of(working: Path) -> Path:
    """Return the file beside a working folder that tells how far it is."""
    return working.with_name(f"{working.name}.json")


def write_whole(path: Path, content: str | bytes, within: Path | None = None) -> None:
    """Write a file that is at any time what it was, or what it is to be.

    Args:
        path: the file.
        content: what is to be in it; texts in UTF-8.
        within: folder of the file in the making, on the same file system (default: that of ``path``).
    """
    working = (within or path.parent) / f".{path.name.lstrip('.')}.{uuid.uuid4().hex[:8]}"
    try:
        working.write_bytes(content.encode() if isinstance(content, str) else content)
        working.replace(path)
    finally:
        with contextlib.suppress(OSError):
            working.unlink(missing_ok=True)


def _require_ours(folder: Path) -> None:
    """Raise InputError unless a folder is one that this toolkit wrote and holds nothing else, or is empty."""
    if folder.is_symlink() or not folder.is_dir():
        raise InputError(f"{folder} is no folder of ours and is not replaced; choose another --out")
    there = [path for path in folder.iterdir() if not path.name.startswith(REMOVED_WHILE_OPEN)]
    found = {path.name for path in there if path.is_file()}
    foreign = sorted({path.name for path in there} - (found & FILES))
    if foreign or (found and PROVENANCE not in found):
        what = ", ".join(foreign[:3]) or f"no {PROVENANCE}"
        raise InputError(
            f"{folder} was not written by this toolkit alone ({what}) and is not replaced; choose another "
            "--out, or delete it yourself"
        )


def _put_in_place(working: Path, target: Path) -> None:
    """Rename ``working`` to ``target``; what was there goes last, and comes back if the renaming fails."""
    if not os.path.lexists(target):
        _rename(working, target)
        return
    _require_ours(target)  # again: hours may have passed
    # Only here something is lost if the machine stops at once: a run that appears is checked when it is read.
    _sync(working)
    before = working.with_name(f"{REPLACED}{working.name}")
    _rename(target, before)
    try:
        _rename(working, target)
        _sync(target.parent)
    except BaseException:
        if not os.path.lexists(target):
            _rename(before, target)
        raise
    shutil.rmtree(before, ignore_errors=True)  # over a network, what somebody reads yet goes a little later


def _rename(one: Path, other: Path) -> None:
    """Rename a folder to a name that is free."""
    try:
        one.rename(other)
    except FileNotFoundError:  # over a network it may be done, the answer lost, and asked for again
        if os.path.lexists(one) or not os.path.lexists(other):
            raise
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
        raise InputError(
            f"{other} has appeared meanwhile and is not replaced; choose another --out"
        ) from error


def _sync(folder: Path) -> None:
    """Let a folder's files, and their names, be on the disk before going on."""
    for path in (*folder.iterdir(), folder):
        if path.is_file() or path == folder:
            with contextlib.suppress(OSError):  # Windows opens no folder
                file = os.open(path, os.O_RDONLY)
                try:
                    os.fsync(file)
                finally:
                    os.close(file)


def require_space(folder: Path, n_bytes: int) -> None:
    """Raise InputError if the disk of ``folder`` has fewer than ``n_bytes`` free.

    Asked before a training, so that hours of it are not lost to a full disk at the end.
    """
    free = shutil.disk_usage(folder).free
    if free < n_bytes:
        raise InputError(
            f"{folder.parent.parent} has {free / 1e6:.0f} MB free and a run needs about "
            f"{n_bytes / 1e6:.0f} MB; free some space or choose another --out"
        )


def _clear_leftovers(target: Path, held: bool) -> None:
    """Remove what processes have left of ``target`` that were killed before they could clean up."""
    for leftover in partial_folder(target).iterdir():
        tag = TAG.fullmatch(leftover.name)
        if tag is None:
            continue
        gone = tag[2] == host_tag(Owner.of_this_process().host) and not is_alive(int(tag[1]))
        if held or gone:
            if leftover.name.startswith(REPLACED) and not os.path.lexists(target):
                _rename(leftover, target)  # it was to be replaced, and was not
            else:
                _remove(leftover)
    for pid, leftover in _left_by_old_versions(target.parent).get(target.name, ()):
        if held and not is_alive(pid):
            _remove(leftover)


def _remove(leftover: Path) -> None:
    with contextlib.suppress(OSError):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


@functools.cache
def _left_by_old_versions(parent: Path) -> dict[str, list[tuple[int, Path]]]:
    # A folder of many runs is listed once, not once for each of them.
    found: dict[str, list[tuple[int, Path]]] = {}
    for path in parent.iterdir():
        if old := OLD.fullmatch(path.name):
            found.setdefault(old[1], []).append((int(old[2]), path))
    return found
