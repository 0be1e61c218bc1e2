"""A few samples through a run's parts before it trains: a run that would lie, or break later, does not start.

What is checked is what ``rc_vs_snn.testing`` checks of plug-ins, as far as a few samples tell.
"""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from rc_vs_snn.config import RunConfig
from rc_vs_snn.contracts import Samples
from rc_vs_snn.errors import DivergedError, InputError, blamed
from rc_vs_snn.testing.encoders import check_code
from rc_vs_snn.testing.models import check_steps
from rc_vs_snn.training.task import Task

N_SAMPLES = 6
N_STEPS = 24


def probe(config: RunConfig, task: Task, samples: Samples) -> None:
    """Check a run's parts on a few samples; all is left as it was.

    Args:
        config: names the parts.
        task: the parts.
        samples: the training split.

    Raises:
        InputError: a part breaks a promise: which part, what it did, and what is expected.
    """
    rows = np.unique(np.linspace(0, len(samples) - 1, N_SAMPLES).round().astype(np.int64))
    few = samples.select(rows).read()  # a copy, in memory
    with _checking(f"{config.label}: encoder '{config.encoder.name}'"):
        code = check_code(task.encoder, few, most_steps=N_STEPS)
    encoded = code.to(task.device)
    with _checking(f"{config.label}: model '{config.model.name}'"), torch.no_grad():
        inputs = torch.stack([encoded.at(step) for step in range(min(3, encoded.n_steps))])
        check_steps(task.model, inputs, samples.n_classes)
    training = task.model.training
    task.model.eval()  # so that statistics stay as they are
    for batch, labels in task.batches(few, np.arange(len(few)), len(few), "probe", augment=True):
        part = f"{config.label}: objective '{config.objective.name}'"
        with contextlib.suppress(DivergedError), _checking(part):  # that is a failed run, with its record
            task.loss(batch, labels, task.rule)
    task.model.train(training)


@contextlib.contextmanager
def _checking(part: str) -> Iterator[None]:
    with blamed(part):
        try:
            yield
        except AssertionError as error:
            raise InputError(f"{part}: {' '.join(str(error).split())}") from error
