"""What was computed of a recording, kept by all that it depends on: in memory, and on disk where asked to."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path

import numpy as np

from rc_vs_snn.errors import InputError

ENVIRONMENT_VARIABLE = "RC_VS_SNN_MEL_CACHE"
MOST_BYTES = 256 * 2**20
FORMAT = 1  # raised whenever the arithmetic of the front end changes


class Cache:
    """Results by a recording's content and how they were made; the longest unused leave first.

    Args:
        most_bytes: what they take in memory at most.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes, self.held_bytes = most_bytes, 0
        self._held: OrderedDict[str, np.ndarray] = OrderedDict()

    def get(self, how: Hashable, signal: np.ndarray, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Return ``compute()``, or what it returned for a signal of the same content; do not change it.

        Where the environment variable ``RC_VS_SNN_MEL_CACHE`` names a folder, results are kept there too.

        Args:
            how: everything but the signal that the result depends on, with a ``repr`` that tells it all.
            signal: any array.
            compute: makes the result.

        Raises:
            InputError: the folder cannot be written.
        """
        content = np.ascontiguousarray(signal)
        about = f"{FORMAT}\x1f{how!r}\x1f{content.dtype.str}\x1f{content.shape}\x1f".encode()
        key = hashlib.blake2b(about + content.tobytes(), digest_size=20).hexdigest()
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        folder = os.environ.get(ENVIRONMENT_VARIABLE)
        found = _from_disk(Path(folder), key, compute) if folder else compute()
        found.flags.writeable = False
        self._held[key] = found
        self.held_bytes += found.nbytes
        while self.held_bytes > self.most_bytes:
            self.held_bytes -= self._held.popitem(last=False)[1].nbytes
        return found


def _from_disk(folder: Path, key: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    path = folder / key[:2] / f"{key}.npy"
    try:
        return np.load(path)
    except (OSError, ValueError, EOFError):  # not there, or cut off: made anew
        found = compute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as file:
            np.save(file, found)
        unfinished.replace(path)
    except OSError as error:
        raise InputError(
            f"the folder {folder} ({ENVIRONMENT_VARIABLE}) cannot be written ({error.strerror}); name another"
        ) from error
    return found


CACHE = Cache()
