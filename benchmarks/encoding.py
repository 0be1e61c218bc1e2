"""Encoders, in the time of a batch: what a model can read, from the same images or recordings.

Other tools return the one-hot sequence ``(T, B, C)``; our codes keep spike times and hand out a step
when asked. Both are timed: the code alone, and with every step read out as float.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import setup
from benchmarks.harness import Result, Row, Skipped, race
from rc_vs_snn.contracts import Samples
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.datasets.nmnist import nmnist
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.encoders.events import Events
from rc_vs_snn.encoders.latency import Latency
from rc_vs_snn.encoders.log_latency import LogLatency
from rc_vs_snn.encoders.rate import Rate
from rc_vs_snn.errors import InputError

OURS, READ_OUT = "ours", "ours, every step read out"
Peers = dict[str, Callable[[Tensor], Tensor]]


def run(scale: setup.Scale) -> Result:
    samples = setup.load(scale).test.select(slice(0, 4 * scale.batch))
    rows: list[Row] = []
    skipped: list[Skipped] = []
    codes = (
        ("latency", Latency(scale.n_steps, background="spike"), latency_peers),
        ("log-latency", LogLatency(scale.n_steps), log_latency_peers),
        ("rate", Rate(scale.n_steps), rate_peers),
    )
    for name, encoder, peers_of in codes:
        case = f"{name}, {len(samples):,} images"
        peers = peers_of(scale.n_steps, case, skipped)
        rows += _images(case, encoder, samples, peers, scale)
    _events(scale, rows, skipped)
    return Result(
        f"encoding, T = {scale.n_steps}, {scale.dataset} images; N-MNIST recordings",
        "time / ours (above 1: ours is quicker)",
        OURS,
        rows,
        skipped,
    )


def latency_peers(n_steps: int, case: str, skipped: list[Skipped]) -> Peers:
    """Linear latency: T rounded levels in both peers, T equal bins in ours (the paper's)."""
    from snntorch import spikegen

    peers: Peers = {
        "snnTorch spikegen": lambda x: spikegen.latency(x, num_steps=n_steps, normalize=True, linear=True)
    }
    try:
        from spikingjelly.activation_based.encoding import LatencyEncoder

        coder = LatencyEncoder(n_steps)
        peers["spikingjelly"] = lambda x: coder.single_step_encode(x)
    except ImportError as error:
        skipped.append(Skipped(case, "spikingjelly", f"not installed ({error.name})"))
    return peers


def log_latency_peers(n_steps: int, case: str, skipped: list[Skipped]) -> Peers:
    """The RC-circuit code, equal to ours spike for spike; spikingjelly's log code is another function."""
    from snntorch import spikegen

    return {"snnTorch spikegen": lambda x: spikegen.latency(x, num_steps=n_steps, normalize=True, clip=True)}


def rate_peers(n_steps: int, case: str, skipped: list[Skipped]) -> Peers:
    """Independent coin flips in all."""
    from snntorch import spikegen

    peers: Peers = {"snnTorch spikegen": lambda x: spikegen.rate(x, num_steps=n_steps)}
    try:
        from norse.torch.functional.encode import poisson_encode

        peers["norse"] = lambda x: poisson_encode(x, n_steps, f_max=1000, dt=0.001)
    except ImportError as error:
        skipped.append(Skipped(case, "norse", f"not installed ({error.name})"))
    try:
        from spikingjelly.activation_based.encoding import PoissonEncoder

        coder = PoissonEncoder()
        peers["spikingjelly"] = lambda x: coder(x.expand(n_steps, *x.shape))
    except ImportError as error:
        skipped.append(Skipped(case, "spikingjelly", f"not installed ({error.name})"))
    return peers


def _images(
    case: str, encoder: Callable[[Samples], Encoded], samples: Samples, peers: Peers, scale: setup.Scale
) -> list[Row]:
    pixels = torch.from_numpy(samples.values.reshape(len(samples), -1)).float() / 255
    count = float(_read_out(encoder(samples)).sum())
    for name, peer in peers.items():
        found = float(peer(pixels).sum())
        assert abs(found / count - 1) < 0.01, f"{name} has {found:.0f} spikes where we have {count:.0f}"
    if case.startswith("log-latency"):
        assert torch.equal(_read_out(encoder(samples)), peers["snnTorch spikegen"](pixels))
    contenders: dict[str, Callable[[], Any]] = {
        OURS: lambda: encoder(samples),
        READ_OUT: lambda: _read_out(encoder(samples)),
    }
    # Our images are bytes, theirs floats that lie ready.
    contenders |= {name: partial(peer, pixels) for name, peer in peers.items()}
    return race(case, contenders, rounds=scale.rounds)


def _read_out(encoded: Encoded) -> Tensor:
    return torch.stack([encoded.at(step) for step in range(encoded.n_steps)])


def _events(scale: setup.Scale, rows: list[Row], skipped: list[Skipped]) -> None:
    """Race event counts against Tonic's frames of the same windows."""
    try:
        samples = nmnist(data_root(), n_train=10).test
    except InputError as error:
        skipped.append(Skipped("events", OURS, str(error).partition(":")[0]))
        return
    from tonic.transforms import ToFrame

    encoder = Events(n_steps=30)
    frames = ToFrame((34, 34, 2), time_window=encoder.dt_us, start_time=0, end_time=30 * encoder.dt_us)

    def theirs() -> np.ndarray:
        return np.stack([frames(recording) for recording in samples.values], 1)

    n_events = sum(len(recording) for recording in samples.values)
    assert np.array_equal(encoder(samples).values.numpy(), theirs().reshape(30, len(samples), -1))
    case = f"events, {len(samples)} recordings, {n_events:,} events"
    contenders: dict[str, Callable[[], Any]] = {OURS: lambda: encoder(samples), "Tonic ToFrame": theirs}
    rows += race(case, contenders, rounds=scale.rounds)
