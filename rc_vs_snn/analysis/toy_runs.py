"""Runs on the two toy problems: of their sequences a perfect observer's step or the noise is known."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rc_vs_snn import toys
from rc_vs_snn.analysis.groups import FinishedRun, Group

NOISY_SIGN, SPOTTING = "noisy-sign", "spotting"


def groups_on(problem: str, groups: Sequence[Group]) -> list[Group]:
    """Return the groups whose corpus is this toy problem."""
    return [group for group in groups if group.facts["dataset"] == problem]


def sequences(run: FinishedRun, ids: np.ndarray) -> np.ndarray:
    """Return the sequences with these ids of a run's corpus, ``(N, length)``."""
    if run.record.config["dataset"]["name"] == NOISY_SIGN:
        values, _ = toys.noisy_sign(ids, **_options(run, "data_seed", "length", "signal", *_NOISE))
    else:
        values, _ = toys.spotting(ids, **_options(run, "data_seed", "length", "run_length"))
    return np.asarray(values[:, :, 0])


def noise_std(run: FinishedRun, ids: np.ndarray) -> np.ndarray:
    """Return the noise of the sequences with these ids of noisy-sign, ``(N,)``."""
    return toys.noise_std(ids, **_options(run, "data_seed", *_NOISE))


def ideal_step(run: FinishedRun, ids: np.ndarray) -> np.ndarray:
    """Return the step at which the answer is certain, for the sequences with these ids of spotting."""
    return toys.ideal_step(sequences(run, ids)[:, :, None], **_options(run, "run_length"))


_NOISE = ("noise_min", "noise_max")


def _options(run: FinishedRun, *names: str) -> dict[str, Any]:
    given = run.record.config["dataset"]
    return {name: given[name] for name in names if name in given}
