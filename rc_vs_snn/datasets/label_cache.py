"""What a corpus was found to hold when it was read once, kept on disk under all that it depends on."""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def found_once(folder: Path, depends_on: Any, corpus: Path, find: Callable[[], Any]) -> Any:
    """Return ``find()``, or what it returned before for the same arguments and the very same files.

    Args:
        folder: where it is kept; where it cannot be written, everything is found anew each time.
        depends_on: plain values on which the answer depends beside the corpus's files.
        corpus: the folder whose files it depends on, by their names, sizes and times of change.
        find: finds plain values (JSON).
    """
    key = hashlib.sha256(repr((depends_on, _listing(corpus))).encode()).hexdigest()[:24]
    path = folder / f"{key}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    found = find()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(found, file)
        os.replace(temporary, path)  # a reader beside us sees the whole file or none
    return found


def _listing(folder: Path) -> list[tuple[str, int, int]]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            status = os.stat(os.path.join(parent, name))
            found.append(
                (os.path.relpath(os.path.join(parent, name), folder), status.st_size, status.st_mtime_ns)
            )
    return found
