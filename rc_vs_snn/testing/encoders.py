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
from rc_vs_snn.testing.toy_samples import are_mixed, filled, toy_samples


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
        kind: what to generate: "images" (8 x 8), "signals" (3 channels at 8 kHz; 128 samples each, and 1 to
            128) or "events" (an 8 x 8 corner, two polarities, 100 ms; one recording empty).

    Raises:
        AssertionError: the first broken promise.
    """
    for batch in [samples] if samples is not None else toy_samples(kind):
        require(len(batch) >= 2, "check_encoder needs at least two samples, to compare batches")
        if samples is not None or not _refuses(encoder, batch):
            _check_extremes(encoder, batch.read(), check_code(encoder, batch))


def _refuses(encoder: Encoder, samples: Samples) -> bool:
    """Return whether an encoder says that it takes no signals of different lengths."""
    if are_mixed(samples):
        try:
            encoder(samples, 3)
        except InputError:
            return True
    return False


def check_code(encoder: Encoder, samples: Samples, *, most_steps: int | None = None) -> Encoded:
    """Check an encoder on some samples, without those that the samples leave out: blank ones, or none.

    Args:
        encoder: see ``check_encoder``.
        samples: what to encode.
        most_steps: look at this many steps of the code, spread over it (None: at all).

    Returns:
        The code.

    Raises:
        AssertionError: the first broken promise.
    """
    _require_callable(encoder, samples)
    samples = samples.read()
    before = copy.deepcopy(samples.values)
    code = encoder(samples, 3)
    _require_form(encoder, code, samples)
    n_steps = code.n_steps
    most = n_steps if most_steps is None else min(n_steps, most_steps)
    steps = np.unique(np.linspace(0, n_steps - 1, most).round().astype(np.int64)).tolist()
    dense = _dense(encoder, code, samples, steps)
    again = encoder(samples, 3)
    _require_form(encoder, again, samples)
    require(
        again.n_steps == n_steps and torch.equal(dense, _dense(encoder, again, samples, steps)),
        f"{encoder!r}: the same seed gave two codes; draw from rc_vs_snn.seeds.sample_generators(seed, "
        "samples.ids), not from a global generator",
    )
    _check_neighbours(encoder, samples, dense, n_steps, steps)
    _check_rows(encoder, code, dense, steps)
    if are_mixed(samples):
        _check_lengths(encoder, samples, code, dense, steps)
    unchanged = all(np.array_equal(a, b) for a, b in zip(before, samples.values, strict=True))
    require(unchanged, f"{encoder!r} changed its input in place; work on a copy")
    return code


def _require_callable(encoder: Encoder, samples: Samples) -> None:
    try:
        inspect.signature(encoder).bind(samples, 0)
    except TypeError as error:
        raise AssertionError(
            f"{encoder!r} cannot be called as encoder(samples, seed): {error}; take `seed: int = 0` even if "
            "the code draws nothing"
        ) from error
    except ValueError:  # compiled code has no signature
        return


def _require_form(encoder: Encoder, code: Encoded, samples: Samples) -> None:
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


def _dense(encoder: Encoder, code: Encoded, samples: Samples, steps: list[int]) -> Tensor:
    """Return the code at some steps, ``(step, B, C)``, after checking the input that they are.

    It is 0 behind a sample's own length.
    """
    inputs = []
    shape = (len(samples), code.n_channels)
    for step in steps:
        x = _read(code, step)
        inputs.append(x)
        require(
            tuple(x.shape) == shape and x.is_floating_point() and bool(torch.isfinite(x).all()),
            f"{encoder!r}: the input at step {step} must be finite floats of shape {shape} (batch, channel), "
            f"got {x.dtype} {tuple(x.shape)}",
        )
    return torch.stack(inputs)


def _read(code: Encoded, step: int) -> Tensor:
    x, going = code.at(step), code.running(step)
    return x if going is None or len(going) != len(x) else torch.where(going[:, None], x, 0)


def _check_neighbours(
    encoder: Encoder, samples: Samples, dense: Tensor, n_steps: int, steps: list[int]
) -> None:
    n = len(samples)
    batches = [[row] for row in range(min(n, 8))] + [list(range(n))[::-1], list(range(0, n, 2))]
    for rows in batches:
        part = samples.select(np.array(rows))
        code = encoder(part, 3)
        _require_form(encoder, code, part)
        require(
            code.n_steps == n_steps,
            f"{encoder!r}: T was {n_steps} for {n} samples and {code.n_steps} for {len(rows)} of them; it "
            "must be the configured T, whatever the batch holds (do not trim to the last spike)",
        )
        require(
            _same_code(code, _dense(encoder, code, part, steps), dense[:, rows]),
            f"{encoder!r}: samples {rows} are coded differently on their own than among {n}; a code must not "
            "depend on batch neighbours or order: normalise per sample or by a constant, and draw from "
            "rc_vs_snn.seeds.sample_generators(seed, samples.ids)",
        )


def _check_lengths(
    encoder: Encoder, samples: Samples, code: Encoded, dense: Tensor, steps: list[int]
) -> None:
    ends = torch.as_tensor(code.last_steps()).expand(len(samples)) + 1
    for row in range(min(len(samples), 8)):
        one = samples.select([row])
        signal = one.values[0]
        alone = Samples(signal[None], one.labels, one.ids, "signals", one.n_classes, one.sensor)
        own = encoder(alone, 3)
        end = int(torch.as_tensor(own.last_steps()).expand(1)[0]) + 1
        require(
            end == int(ends[row]) and _same_code(own, _dense(encoder, own, alone, steps), dense[:, [row]]),
            f"{encoder!r}: a signal of {len(signal)} samples has {end} steps in an array of its own and "
            f"{int(ends[row])} among longer ones, or another code; padding must not be read, and lengths= "
            "must say where each sample ends",
        )


def _same_code(code: Encoded, alone: Tensor, among: Tensor) -> bool:
    if code.analogue:  # the rounding of a matrix product goes with the size of the batch
        return torch.allclose(alone, among, rtol=1e-4, atol=1e-6)
    return torch.equal(alone, among)


def _check_rows(encoder: Encoder, code: Encoded, dense: Tensor, steps: list[int]) -> None:
    rows = torch.tensor([len(code) - 1, 0])
    picked = code.select(rows)
    same = all(torch.equal(_read(picked, step), each[rows]) for step, each in zip(steps, dense, strict=True))
    require(same, f"{encoder!r}: select([last, first]) does not return the last and the first sample")


def _check_extremes(encoder: Encoder, samples: Samples, code: Encoded) -> None:
    cases = [
        (
            "an empty batch",
            samples.select(slice(0, 0)),
            "`reshape(len(samples), -1)` fails on no samples: write math.prod(layout) for -1",
        ),
        ("blank samples", filled(samples, full=False), "divide by no maximum that may be 0"),
        ("samples at full intensity", filled(samples, full=True), "the highest intensity needs a step, too"),
    ]
    for name, batch, hint in cases:
        try:
            other = encoder(batch, 3)
            _require_form(encoder, other, batch)
            _dense(encoder, other, batch, list(range(other.n_steps)))
        except Exception as error:
            raise AssertionError(
                f"{encoder!r} fails on {name}: {type(error).__name__}: {error} ({hint})"
            ) from error
        require(
            (other.n_steps, other.layout) == (code.n_steps, code.layout),
            f"{encoder!r}: T and layout are {other.n_steps} and {other.layout} for {name} but {code.n_steps} "
            f"and {code.layout} for others; both must be the same for every batch",
        )
