"""What every encoder must do."""

import copy
import inspect

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn.contracts import SampleKind, Samples
from rc_vs_snn.encoded import Encoded, Frames, SpikeTimes
from rc_vs_snn.encoders.protocol import Encoder
from rc_vs_snn.errors import InputError
from rc_vs_snn.testing.promise import require

_EVENT = np.dtype([("x", np.int64), ("y", np.int64), ("t", np.int64), ("p", np.int64)])


def check_encoder(encoder: Encoder, samples: Samples | None = None, *, kind: SampleKind = "images") -> None:
    """Check that an encoder keeps the toolkit's promises.

    The code has T steps, one row per sample and one channel per place of its layout; the same seed
    gives the same code; a sample's code does not depend on its batch neighbours or their order; an
    empty batch and blank samples work; the samples are left as they were. Where signals differ in length,
    an encoder may refuse them with InputError; if it takes them, each has the code, and the number of steps,
    that it has in an array of its own. What a code holds behind a sample's own length is not looked at.

    Args:
        encoder: a callable ``encoder(samples, seed) -> SpikeTimes | Frames``.
        samples: what to encode, at least two samples. None: small random ones of ``kind`` (for
            images: 8-bit ``(N, H, W)`` and float ``(N, channel, H, W)``).
        kind: what to generate: "images" (8 x 8), "signals" (3 channels; 128 samples each, and 1 to 128) or
            "events" (an 8 x 8 corner, two polarities, 100 ms; one recording empty).

    Raises:
        AssertionError: the first broken promise.
    """
    for batch in [samples] if samples is not None else _toy_samples(kind):
        if samples is not None or not _refuses(encoder, batch):
            _check_code(encoder, batch)


def _refuses(encoder: Encoder, samples: Samples) -> bool:
    """Return whether an encoder says that it takes no signals of different lengths."""
    if samples.kind != "signals" or samples.values.dtype != object:
        return False
    try:
        encoder(samples, 3)
    except InputError:
        return True
    return False


def _toy_samples(kind: SampleKind) -> list[Samples]:
    rng = np.random.default_rng(0)
    labels, ids = np.arange(6) % 3, np.arange(6) * 7 + 11
    if kind == "images":
        images = rng.integers(0, 256, (6, 8, 8), dtype=np.uint8) * rng.integers(
            0, 2, (6, 8, 8), dtype=np.uint8
        )
        as_float = (images[:, None] / 255).astype(np.float32)
        return [Samples(images, labels, ids, kind, 3), Samples(as_float, labels, ids, kind, 3)]
    if kind == "signals":
        walks = rng.normal(size=(6, 128, 3)).cumsum(axis=1).astype(np.float32)
        mixed = np.empty(6, dtype=object)
        mixed[:] = [walk[:length] for walk, length in zip(walks, (40, 1, 128, 7, 100, 13), strict=True)]
        return [Samples(walks, labels, ids, kind, 3), Samples(mixed, labels, ids, kind, 3)]
    recordings = np.empty(6, dtype=object)
    for row, n_events in enumerate([50, 0, 1, 200, 80, 120]):
        events = np.zeros(n_events, _EVENT)
        for name, stop in (("x", 8), ("y", 8), ("p", 2), ("t", 100_000)):
            events[name] = rng.integers(0, stop, n_events)
        recordings[row] = np.sort(events, order="t")
    return [Samples(recordings, labels, ids, kind, 3)]


def _filled(samples: Samples, full: bool) -> Samples:
    """Return two samples without content: dark (or fully bright) images, flat signals, no events."""
    few = samples.select(slice(0, 2))
    if samples.kind == "events":
        values = np.empty(len(few), dtype=object)
        for row, events in enumerate(few.values):
            values[row] = events[:0]
    elif few.values.dtype == object:
        values = few.values.copy()
        values[:] = [np.full_like(signal, full) for signal in few.values]
    else:
        one = 255 if few.values.dtype == np.uint8 else 1
        values = np.full_like(few.values, one if full else 0)
    return Samples(values, few.labels, few.ids, few.kind, few.n_classes)


def _check_code(encoder: Encoder, samples: Samples) -> None:
    require(len(samples) >= 2, "check_encoder needs at least two samples, to compare batches")
    try:
        inspect.signature(encoder).bind(samples, 0)
    except TypeError as error:
        raise AssertionError(
            f"{encoder!r} cannot be called as encoder(samples, seed): {error}; take `seed: int = 0` even if "
            "the code draws nothing"
        ) from error
    before = copy.deepcopy(samples.values)
    code = encoder(samples, 3)
    dense = _dense(encoder, code, samples)
    again = _dense(encoder, encoder(samples, 3), samples)
    require(
        torch.equal(dense, again),
        f"{encoder!r}: the same seed gave two codes; draw from rc_vs_snn.seeds.sample_generators(seed, "
        "samples.ids), not from a global generator",
    )
    _check_neighbours(encoder, samples, dense)
    _check_rows(encoder, code, dense)
    _check_extremes(encoder, samples, code)
    if samples.kind == "signals" and samples.values.dtype == object:
        _check_lengths(encoder, samples, code, dense)
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, samples.values, strict=True))
    require(unchanged, f"{encoder!r} changed its input in place; work on a copy")


def _dense(encoder: Encoder, code: Encoded, samples: Samples) -> Tensor:
    """Return the whole code ``(T, B, C)``, 0 behind a sample's own length, after checking its form."""
    require(
        isinstance(code, SpikeTimes | Frames),
        f"{encoder!r} returned {type(code).__name__}; return SpikeTimes (at most one spike per channel) "
        "or Frames (anything else) of rc_vs_snn.encoded",
    )
    require(
        len(code) == len(samples),
        f"{encoder!r} returned {len(code)} samples for {len(samples)}; Frames are time first: (T, B, C)",
    )
    require(
        code.n_channels == int(np.prod(code.layout)),
        f"{encoder!r}: layout {code.layout} does not hold {code.n_channels} channels",
    )
    inputs = [code.at(step) for step in range(code.n_steps)]
    for step, x in enumerate(inputs):
        shape = (len(samples), code.n_channels)
        going = code.running(step)
        if going is not None and tuple(x.shape) == shape:
            inputs[step] = x = torch.where(going[:, None], x, 0)
        require(
            tuple(x.shape) == shape and x.is_floating_point() and bool(torch.isfinite(x).all()),
            f"{encoder!r}: the input at step {step} must be finite floats of shape {shape} (batch, channel), "
            f"got {x.dtype} {tuple(x.shape)}",
        )
    return torch.stack(inputs)


def _check_neighbours(encoder: Encoder, samples: Samples, dense: Tensor) -> None:
    n = len(samples)
    batches = [[row] for row in range(min(n, 8))] + [list(range(n))[::-1], list(range(0, n, 2))]
    for rows in batches:
        part = samples.select(np.array(rows))
        code = encoder(part, 3)
        require(
            code.n_steps == len(dense),
            f"{encoder!r}: T was {len(dense)} for {n} samples and {code.n_steps} for {len(rows)} of them; it "
            "must be the configured T, whatever the batch holds (do not trim to the last spike)",
        )
        require(
            torch.equal(_dense(encoder, code, part), dense[:, rows]),
            f"{encoder!r}: samples {rows} are coded differently on their own than among {n}; a code must not "
            "depend on batch neighbours or order: normalise per sample or by a constant, and draw from "
            "rc_vs_snn.seeds.sample_generators(seed, samples.ids)",
        )


def _check_lengths(encoder: Encoder, samples: Samples, code: Encoded, dense: Tensor) -> None:
    last = torch.as_tensor(code.last_steps()).expand(len(samples))
    for row, signal in enumerate(samples.values):
        one = samples.select([row])
        alone = Samples(signal[None], one.labels, one.ids, "signals", one.n_classes, one.sensor)
        own = encoder(alone, 3)
        steps = int(torch.as_tensor(own.last_steps()).expand(1)[0]) + 1
        require(
            torch.equal(_dense(encoder, own, alone), dense[:, [row]]) and steps == int(last[row]) + 1,
            f"{encoder!r}: a signal of {len(signal)} samples has another code, or {steps} and not "
            f"{int(last[row]) + 1} steps, in an array of its own than among longer ones; padding must not be "
            "read, and lengths= must say where each sample ends",
        )


def _check_rows(encoder: Encoder, code: Encoded, dense: Tensor) -> None:
    rows = torch.tensor([len(code) - 1, 0])
    picked = code.select(rows)
    first_and_last = [picked.at(step) for step in range(code.n_steps)]
    for step in range(code.n_steps):
        going = picked.running(step)
        if going is not None:
            first_and_last[step] = torch.where(going[:, None], first_and_last[step], 0)
    same = torch.equal(torch.stack(first_and_last), dense[:, rows])
    require(same, f"{encoder!r}: select([last, first]) does not return the last and the first sample")


def _check_extremes(encoder: Encoder, samples: Samples, code: Encoded) -> None:
    cases = [
        (
            "an empty batch",
            samples.select(slice(0, 0)),
            "`reshape(len(samples), -1)` fails on no samples: write math.prod(layout) for -1",
        ),
        ("blank samples", _filled(samples, full=False), "divide by no maximum that may be 0"),
        ("samples at full intensity", _filled(samples, full=True), "the highest intensity needs a step, too"),
    ]
    for name, batch, hint in cases:
        try:
            other = encoder(batch, 3)
            _dense(encoder, other, batch)
        except Exception as error:
            raise AssertionError(
                f"{encoder!r} fails on {name}: {type(error).__name__}: {error} ({hint})"
            ) from error
        require(
            (other.n_steps, other.layout) == (code.n_steps, code.layout),
            f"{encoder!r}: T and layout are {other.n_steps} and {other.layout} for {name} but {code.n_steps} "
            f"and {code.layout} for others; both must be the same for every batch",
        )
