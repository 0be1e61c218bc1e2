"""What an encoder is, and the sentence it answers wrong samples with."""

from typing import Protocol

from rc_vs_snn.contracts import SampleKind, Samples
from rc_vs_snn.encoded import Encoded
from rc_vs_snn.errors import InputError

_FOR_KIND: dict[SampleKind, str] = {"images": "latency", "signals": "delta", "events": "events"}


class Encoder(Protocol):
    """Any callable that turns samples into input over time.

    Encoding a sample never depends on its batch neighbours, and T is the same for every batch. A
    deterministic encoder ignores ``seed``; a stochastic one draws from ``seeds.sample_generators``.
    """

    def __call__(self, samples: Samples, seed: int = 0) -> Encoded:
        """Encode a batch.

        Args:
            samples: B raw samples.
            seed: base of the random draws, if there are any.

        Returns:
            ``SpikeTimes`` or ``Frames`` of B samples.
        """
        ...


def require_kind(samples: Samples, kind: SampleKind, name: str) -> Samples:
    """Return the samples in memory; InputError unless they are of the kind that encoder ``name`` takes."""
    if samples.kind != kind:
        raise InputError(
            f"encoder '{name}' takes {kind}, got {samples.kind}; for {samples.kind} use "
            f"'{_FOR_KIND[samples.kind]}' (`rc-vs-snn list encoders` shows all)"
        )
    return samples.read()
