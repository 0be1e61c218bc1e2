"""Size: an epoch over 100,000 recordings of events that lie on disk, in Tonic's layout.

The tree is written into a temporary folder: a thousand different recordings of 100 ms, each under many names
as hard links, and read through ``dataset = { name = "tonic", class = "NMNIST" }``. In a process of its own:
one epoch, with its time and the peak of all memory; then all is read and encoded once more, for their shares.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks import setup
from benchmarks.harness import Result, rows_of
from rc_vs_snn.config import Part, RunConfig
from rc_vs_snn.contracts import Unread
from rc_vs_snn.experiment import Execution
from rc_vs_snn.experiment.comparison import load_preset
from rc_vs_snn.experiment.parts import assemble, load_splits
from rc_vs_snn.training.loop import train

N_DIFFERENT = 1_000
N_EVENTS = 200
MOST_MB = 2_000
BATCH = 128


def write_tree(folder: Path, n_train: int, n_test: int = 100) -> None:
    """Write recordings of N-MNIST's form, of which a thousand of each part differ."""
    rng = np.random.default_rng(0)
    for part, size in (("Train", n_train), ("Test", n_test)):
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


def configuration() -> RunConfig:
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


def measure(folder: Path) -> dict[str, float]:
    """Return the processor seconds of an epoch, of reading and of encoding, and the peak in megabytes."""
    torch.set_num_threads(1)
    config, execution = configuration(), Execution(threads=1, data_root=folder)
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
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), n_recordings)
        call = [sys.executable, "-m", "benchmarks.recordings", folder]
        done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1])
    found = {name: np.array([value]) for name, value in json.loads(done.stdout).items()}
    times = {
        "bound": found["epoch"] / 2,
        "reading": found["reading"],
        "reading and encoding": found["reading"] + found["encoding"],
        "the epoch": found["epoch"],
    }
    memory = {"bound": np.array([float(MOST_MB)]), "peak of the process": found["peak"]}
    return Result(
        f"an epoch over {n_recordings:,} recordings on disk of {N_EVENTS} events (nine tenths of them "
        "trained on), RC-LSTM, 128 hidden, 10 windows of 10 ms, 17x17x2 channels",
        "figure / bound: half of the epoch's time, 2 GB",
        "bound",
        rows_of("time", {name: each * 1e3 for name, each in times.items()}, "ms")
        + rows_of("memory", memory, "MB"),
    )


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]))))
