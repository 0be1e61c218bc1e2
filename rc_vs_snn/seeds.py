"""Every random generator of the toolkit is derived here from (base seed, role, names).

Roles keep streams apart: the order in which samples are drawn ("shuffle"), the initial weights
("weights"), a stochastic encoder ("encoding") and augmentation ("augmentation") never share a
generator, so two model families trained with one base seed meet identical samples in identical order.
"""

import hashlib
from collections.abc import Iterable

import numpy as np


def seed_for(base: int, role: str, *names: object) -> int:
    """Derive a 63-bit seed from a base seed, a role and any further names.

    Args:
        base: the base seed of a run.
        role: what the generator is for, such as ``"weights"``.
        names: anything that tells apart generators of one role (an epoch, a split).

    Returns:
        A non-negative integer below 2**63, the same on every platform and Python version.
    """
    text = "\x1f".join([str(int(base)), role, *map(str, names)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator_for(base: int, role: str, *names: object) -> np.random.Generator:
    """Return a NumPy generator seeded with ``seed_for(base, role, *names)``."""
    return np.random.default_rng(seed_for(base, role, *names))


def sample_generators(seed: int, ids: Iterable[int]) -> Iterable[np.random.Generator]:
    """Yield one generator per sample, keyed by the sample's id and not by its place in the batch.

    Args:
        seed: an encoder's seed.
        ids: sample ids (non-negative).

    Yields:
        A generator whose stream depends on ``(seed, id)`` only: a stochastic code of a sample is
        the same whatever its batch neighbours are.
    """
    for sample_id in ids:
        yield np.random.Generator(np.random.Philox(key=[int(seed), int(sample_id)]))
