"""Corpora, one file each. A dataset is a factory ``factory(root, **options) -> Splits``.

Importing this package registers the built-in ones. Nothing is read or imported from a heavy library
until a factory is called.
"""

from rc_vs_snn.datasets import (
    braille,
    digits,
    fashion_mnist,
    mnist,
    nmnist,
    noisy_sign,
    speech_commands,
    spoken_digits,
    spotting,
    time_series,
    tonic_corpus,
)

__all__ = [
    "braille",
    "digits",
    "fashion_mnist",
    "mnist",
    "nmnist",
    "noisy_sign",
    "speech_commands",
    "spoken_digits",
    "spotting",
    "time_series",
    "tonic_corpus",
]
