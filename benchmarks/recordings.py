"""Size: an epoch over 100,000 recordings that lie on disk, of events in Tonic's layout and of words as wavs.

The tree is written into a temporary folder: a thousand different recordings, each under many names as hard
links. Events, 100 ms, are read through ``dataset = { name = "tonic", class = "NMNIST" }``, words, a second at
16 kHz, through ``{ name = "speech-commands" }``, without the cache of mel frames, which would know the links.
Each in a process of its own: one epoch, with its time and the peak of all memory; then all is read and
encoded once more, for their shares.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from benchmarks import setup
from benchmarks.harness import Result, Row, rows_of
from rc_vs_snn.config import Part, RunConfig
from rc_vs_snn.contracts import Unread
from rc_vs_snn.datasets.speech_commands import COMMANDS, LISTS, OTHERS, TREES
from rc_vs_snn.encoders.mel_cache import CACHE
from rc_vs_snn.experiment import Execution
from rc_vs_snn.experiment.comparison import load_preset
from rc_vs_snn.experiment.parts import assemble, load_splits
from rc_vs_snn.training.loop import train

N_DIFFERENT = 1_000
N_EVENTS = 200
RATE_HZ = 16_000
N_HELD_OUT = 100
MOST_MB = 2_000
BATCH = 128


def write_events(folder: Path, n_train: int) -> None:
    """Write recordings of N-MNIST's form, of which a thousand of each part differ."""
    rng = np.random.default_rng(0)
    for part, size in (("Train", n_train), ("Test", N_HELD_OUT)):
        for label in range(10):
            (folder / "NMNIST" / part / str(label)).mkdir(parents=True)
        for number in range(size):
            label = number % 10
            path = folder / "NMNIST" / part / str(label) / f"{number + 1:06}.bin"
            if number >= N_DIFFERENT:
                os.link(path.with_name(f"{number % N_DIFFERENT + 1:06}.bin"), path)
                continue
            x, y = (rng.integers(label, 24 + label, N_EVENTS) for _ in range(2))
            t, p = np.sort(rng.integers(0, 100_000, N_EVENTS)), rng.integers(0, 2, N_EVENTS)
            columns = [x, y, p << 7 | t >> 16, t >> 8 & 255, t & 255]
            path.write_bytes(np.stack(columns, 1).astype(np.uint8).tobytes())


def write_words(folder: Path, n_clips: int) -> None:
    """Write clips in the layout of Speech Commands, of which a thousand differ; each word has a pitch."""
    rng = np.random.default_rng(0)
    tree, words = folder / TREES[0], (*COMMANDS, *OTHERS)
    for word in words:
        (tree / word).mkdir(parents=True)
    names = [f"{words[number % len(words)]}/{number:08x}_nohash_0.wav" for number in range(n_clips)]
    n_different = N_DIFFERENT // len(words) * len(words)
    seconds = np.arange(RATE_HZ) / RATE_HZ
    for number, name in enumerate(names):
        if number >= n_different:
            os.link(tree / names[number % n_different], tree / name)
            continue
        tone = np.sin(2 * np.pi * (200 + 80 * (number % len(words))) * seconds)
        with wave.open(str(tree / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE_HZ)
            file.writeframes((3_000 * tone + 300 * rng.normal(size=RATE_HZ)).astype("<i2").tobytes())
    for file_name, held_out in zip(LISTS.values(), (names[:N_HELD_OUT], names[-N_HELD_OUT:]), strict=True):
        (tree / file_name).write_text("\n".join(held_out), encoding="utf-8")


def of_events() -> RunConfig:
    """Return the RC-LSTM of preset ``nmnist`` without convolutions, on the recordings of a tree."""
    config = load_preset("nmnist").planned()[0]
    return replace(
        config,
        dataset=Part("tonic", {"class": "NMNIST"}),
        encoder=Part("events", {"n_steps": 10, "pool": 2}),
        model=Part("rc-lstm", {"hidden": 128}),
        augmentation=Part("none"),
        training=replace(config.training, epochs=1, batch_size=BATCH),
    )


def of_words() -> RunConfig:
    """Return the RC-LSTM of preset ``speech-commands-resplit`` on the 35 words of a tree."""
    config = load_preset("speech-commands-resplit").planned()[0]
    return replace(
        config,
        dataset=Part("speech-commands"),
        augmentation=Part("none"),
        training=replace(config.training, epochs=1, batch_size=BATCH),
    )


@dataclass(frozen=True)
class Kind:
    """One kind of recordings.

    Attributes:
        told: what is written and trained.
        write: writes so many of them below a folder.
        configuration: of a run over them.
    """

    told: str
    write: Callable[[Path, int], None]
    configuration: Callable[[], RunConfig]


KINDS = {
    "events": Kind(
        f"{N_EVENTS} events (nine tenths of them trained on), RC-LSTM, 128 hidden, 10 windows of 10 ms, "
        "17x17x2 channels",
        write_events,
        of_events,
    ),
    "wav": Kind("a second as wav, RC-LSTM, 192 hidden, 50 log-mel frames of 40 bands", write_words, of_words),
}


def measure(name: str, folder: Path) -> dict[str, float]:
    """Return the processor seconds of an epoch, of reading and of encoding, and the peak in megabytes."""
    torch.set_num_threads(1)
    CACHE.most_bytes = 0
    config, execution = KINDS[name].configuration(), Execution(threads=1, data_root=folder)
    splits = load_splits(config, execution)
    assert isinstance(splits.train.values, Unread)
    task = assemble(config, splits, execution)
    started = time.process_time()
    train(task, splits.train, splits.valid.select(slice(0, BATCH)), config.training)
    found = {"epoch": time.process_time() - started}
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found |= {"reading": 0.0, "encoding": 0.0}
    for at in range(0, len(splits.train), BATCH):
        started = time.process_time()
        batch = splits.train.select(slice(at, at + BATCH)).read()
        read = time.process_time()
        task.encoder(batch)
        found["reading"] += read - started
        found["encoding"] += time.process_time() - read
    return found


def run(scale: setup.Scale) -> Result:
    n_recordings = 100_000 if scale.dataset == "mnist" else 2_000
    rows = [row for name in KINDS for row in _rows(name, n_recordings)]
    told = "; ".join(f"{name}: {kind.told}" for name, kind in KINDS.items())
    return Result(
        f"an epoch over {n_recordings:,} recordings on disk; {told}",
        "figure / bound: half of the epoch's time, 2 GB",
        "bound",
        rows,
    )


def _rows(name: str, n_recordings: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        KINDS[name].write(Path(folder), n_recordings)
        call = [sys.executable, "-m", "benchmarks.recordings", name, folder]
        done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1])
    found = {key: np.array([value]) for key, value in json.loads(done.stdout).items()}
    times = {
        "bound": found["epoch"] / 2,
        "reading": found["reading"],
        "reading and encoding": found["reading"] + found["encoding"],
        "the epoch": found["epoch"],
    }
    memory = {"bound": np.array([float(MOST_MB)]), "peak of the process": found["peak"]}
    in_ms = {key: each * 1e3 for key, each in times.items()}
    return rows_of(f"{name}, time", in_ms, "ms") + rows_of(f"{name}, memory", memory, "MB")


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))))
