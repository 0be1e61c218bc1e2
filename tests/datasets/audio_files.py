"""Wav and flac files as tests need them, written by hand or by soundfile."""

import struct
from pathlib import Path

import numpy as np

RATE = 8000


def tone(n_samples: int, hz: float = 500.0, rate_hz: int = RATE) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hz * np.arange(n_samples) / rate_hz)


def wav_bytes(values: np.ndarray, rate_hz: int = RATE) -> bytes:
    """Write 16-bit mono PCM by the description of the format and not by a library."""
    data = np.rint(np.asarray(values) * 32767).astype("<i2").tobytes()
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate_hz, 2 * rate_hz, 2, 16)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def write_wav(path: Path, values: np.ndarray, rate_hz: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(values, rate_hz))
