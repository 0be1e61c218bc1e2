"""Audio files, wav and flac, read when they are asked for: at one rate, in one channel, whole or refused."""

import hashlib
import struct
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from rc_vs_snn.errors import InputError, did_you_mean

Damaged = Literal["refuse", "skip"]
SUFFIXES = (".wav", ".flac")


@dataclass(frozen=True)
class Clip:
    """A stretch of an audio file.

    Attributes:
        path: the file.
        start: its first sample, at the file's own rate.
        n_samples: how many, at the file's own rate; None: up to the end.
    """

    path: Path
    start: int = 0
    n_samples: int | None = None


class AudioFiles:
    """Audio clips as signals: sample i is ``files[i]``, ``(length, 1)`` float32 in [-1, 1].

    Args:
        clips: where they lie.
        rate_hz: samples per second of what is handed out; a clip of another rate is resampled.
    """

    def __init__(self, clips: Sequence[Clip], rate_hz: int) -> None:
        self.clips, self.rate_hz = tuple(clips), rate_hz

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, row: int) -> np.ndarray:
        return read_clip(self.clips[row], self.rate_hz)


def read_clip(clip: Clip, rate_hz: int) -> np.ndarray:
    """Return one clip, the mean of its channels, ``(length, 1)`` float32 in [-1, 1].

    Raises:
        InputError: it cannot be read, ends before it should or holds nothing.
    """
    soundfile = _imported("soundfile")
    try:
        with soundfile.SoundFile(str(clip.path)) as file:
            file.seek(clip.start)
            wanted = file.frames - clip.start if clip.n_samples is None else clip.n_samples
            values, own_rate = file.read(wanted, dtype="float32", always_2d=True), file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"{clip.path} cannot be read as audio ({error}); fetch it again") from error
    if len(values) != wanted or not wanted:
        raise InputError(f"{clip.path} holds {len(values):,} samples of {wanted:,}; fetch it again")
    mono = values.mean(axis=1)
    if own_rate != rate_hz:
        mono = _imported("soxr").resample(mono, own_rate, rate_hz)
    return np.ascontiguousarray(mono, dtype=np.float32)[:, None]


def n_samples_of(path: Path) -> tuple[int, int]:
    """Return how many samples an audio file has, and how many a second has."""
    found = _imported("soundfile").info(str(path))
    return int(found.frames), int(found.samplerate)


def content_hash(path: Path) -> str:
    """Return what is equal exactly for files of equal bytes."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def id_of(name: str) -> int:
    """Return a sample's id: of its name alone, whatever else lies beside it."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 1


def audio_files(folder: Path) -> list[Path]:
    """Return the audio files of a folder by name; hidden side files and notes are none."""
    return sorted(
        path for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )  # fmt: skip


def sound(paths: Sequence[Path], damaged: Damaged) -> list[Path]:
    """Return the files that hold what they say they hold, by their headers.

    Args:
        paths: wav and flac files.
        damaged: whether the first file that is empty or cut off is refused, or all are skipped with a warning
            that counts and names them.

    Raises:
        InputError: a damaged file, or a choice that is none.
    """
    if damaged not in get_args(Damaged):
        raise InputError(f"there is no damaged={damaged!r}; {did_you_mean(str(damaged), get_args(Damaged))}")
    faults = {path: fault for path in paths if (fault := _fault(path))}
    if faults:
        first, fault = next(iter(faults.items()))
        told = f"{len(faults):,} of {len(paths):,} audio files are damaged (first: {first}, {fault})"
        if damaged == "refuse":
            raise InputError(f"{told}; fetch them again, or set dataset.damaged=skip")
        named = ", ".join(path.name for path in list(faults)[:10])
        warnings.warn(f"{told} and are skipped: {named}{', ...' if len(faults) > 10 else ''}", stacklevel=4)
    return [path for path in paths if path not in faults]


def named_by(pattern: Callable[[str], Any], paths: Iterable[Path], form: str) -> None:
    """Raise InputError at the first file whose name a corpus does not have."""
    for path in paths:
        if pattern(path.name) is None:
            raise InputError(f"{path} is not called {form}; move it elsewhere")


def _fault(path: Path) -> str | None:
    """Return what is wrong with a file as its header and its size tell, or None.

    A header that announces more than the file holds is read by libsndfile without a word.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
            if size == 0:
                return "empty"
            if head[:4] == b"fLaC":
                total = int.from_bytes(head[18:26], "big") & (2**36 - 1)
                return "without samples" if not total else "cut off" if size <= 42 else None
            if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
                return "neither wav nor flac"
            return _wav_fault(file, size)
    except OSError as error:
        return f"unreadable ({error.strerror or error})"


def _wav_fault(file: Any, size: int) -> str | None:
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        if name == b"data":
            if length == 0:
                return "without samples"
            return "cut off" if at + 8 + length > size else None
        at += 8 + length + length % 2
    return "cut off"


def _imported(name: str) -> Any:
    try:
        return __import__(name)
    except (ImportError, OSError) as error:  # OSError: soundfile without its library
        raise InputError(
            f"reading audio needs the package {name} ({error}); install it with "
            "pip install 'rc_vs_snn[audio]'"
        ) from error
