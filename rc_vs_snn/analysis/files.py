"""Writing files whole: a reader never meets half of one, and a failure leaves the old ones."""

import errno
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rc_vs_snn.errors import InputError
from rc_vs_snn.records import folders


def write_all(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files aside and move them into ``folder`` when all are there: a failure leaves the old ones."""
    targets = [folder / name for name in files]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for target in targets:
            if target.is_dir():
                raise _unwritable(target, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as working:
            for name, content in files.items():
                (Path(working) / name).write_bytes(content)
            for target in targets:
                (Path(working) / target.name).replace(target)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        if isinstance(error, InputError):
            raise
        raise _unwritable(folder, error) from error
    return targets


def write_whole(path: Path, content: bytes) -> Path:
    """Write beside ``path``, then rename: a reader never meets half a file."""
    try:
        folders.write_whole(path, content)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def _unwritable(path: Path, error: OSError | ValueError) -> InputError:
    why = getattr(error, "strerror", None) or error
    return InputError(f"cannot write {path}: {why}; choose a writable folder with free space")
