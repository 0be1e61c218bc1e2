"""Samples of a stored run: found in its corpus by their ids, encoded as the run encoded them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from rc_vs_snn.contracts import Decision, Samples, Sensor, Splits, Trace
from rc_vs_snn.decision.rules import decide, thresholds_of
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import load_weights, stored_config, trace_split
from rc_vs_snn.experiment.parts import assemble, load_splits
from rc_vs_snn.records import Record
from rc_vs_snn.records.layout import DECISIONS, TRACE, WEIGHTS
from rc_vs_snn.showing.codes import OneCode, code_of
from rc_vs_snn.training.task import Task


@dataclass(frozen=True, eq=False)
class Subject:
    """One sample as it is and as a model meets it.

    Attributes:
        id: its identity in the corpus.
        label: its true class.
        value: the sample itself, see ``Samples.values``.
        kind: "images", "signals" or "events".
        sensor: what it was recorded with.
        code: its input over time.
    """

    id: int
    label: int
    value: np.ndarray
    kind: str
    sensor: Sensor
    code: OneCode


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a model said about one sample.

    Attributes:
        evidence: ``(T, K)``, of its own T steps.
        thresholds: in force at each step, ``(T,)``.
        label: the decided class.
        step: of the decision, 0-based.
        decided: whether an output spike decided; False: forced at the last step.
        right: whether the label is the true one.
    """

    evidence: np.ndarray
    thresholds: np.ndarray
    label: int
    step: int
    decided: bool
    right: bool


@dataclass(frozen=True, eq=False)
class OpenRun:
    """A stored run with its corpus and its parts; the model has its weights only once ``judge`` needs it.

    Attributes:
        record: the run folder.
        splits: its corpus.
        task: its parts.
    """

    record: Record
    splits: Splits
    task: Task

    @property
    def title(self) -> str:
        """Return what a figure's caption says of the run."""
        return f"{self.record.config['dataset']['name']}, {self.record.label}, seed {self.record.seed}"

    def subjects(self, ids: Sequence[int]) -> list[Subject]:
        """Return the test samples with these ids.

        Raises:
            InputError: one that is not there.
        """
        return subjects_of(self.task, self._chosen(ids))

    def judge(self, sample_id: int) -> Judgement:
        """Return what the model said of a test sample: as it was recorded, or where no trace is, said anew.

        Raises:
            InputError: the run holds neither trace nor weights, or no sample of this id.
        """
        trace = self._trace(sample_id)
        decision: Decision = decide(trace.evidence, self.task.rule, trace.lengths)
        n_steps = int(trace.lengths[0])
        return Judgement(
            evidence=trace.evidence[0, :n_steps],
            thresholds=thresholds_of(self.task.rule, trace.n_steps)[:n_steps],
            label=int(decision.label[0]),
            step=int(decision.step[0]),
            decided=bool(decision.decided[0]),
            right=bool(decision.label[0] == trace.labels[0]),
        )

    def decisions(self) -> dict[str, np.ndarray]:
        """Return the recorded decisions of all test samples.

        Raises:
            InputError: the run holds none.
        """
        folder = self.record.folder
        if not (folder / DECISIONS).is_file():
            raise InputError(
                f"{folder} holds no {DECISIONS}; judge the model first, by `rc-vs-snn compare --pretrained "
                f"{folder} --out RUNS`, and show that run"
            )
        return self.record.decisions()

    def _trace(self, sample_id: int) -> Trace:
        folder = self.record.folder
        if (folder / TRACE).is_file():
            trace = self.record.trace()
            (rows,) = np.nonzero(trace.ids == sample_id)
            if len(rows):
                return trace.select(rows[:1])
        if not (folder / WEIGHTS).is_file():
            raise InputError(
                f"{folder} holds no {TRACE} with sample {sample_id} and no {WEIGHTS} to judge it with; show "
                "a run that has either"
            )
        load_weights(self.task.model, folder / WEIGHTS)
        return trace_split(self.task, self._chosen([sample_id]), "test")

    def _chosen(self, ids: Sequence[int]) -> Samples:
        test = self.splits.test
        return test.select(rows_of(test, ids, f"the test split of {self.record.config['dataset']['name']}"))


@contextmanager
def open_run(run: Record, execution: Execution) -> Iterator[OpenRun]:
    """Yield a stored run with its corpus, under torch's settings for it.

    Args:
        run: a finished run, or a model folder.
        execution: device, threads, data root, and whether code that the run names may run.

    Raises:
        InputError: the run is not finished, names code that is not trusted, or its corpus is not there.
    """
    run.require_done()
    config = stored_config(run, execution)
    with torch_settings(execution):
        splits = load_splits(config, execution)
        yield OpenRun(run, splits, assemble(config, splits, execution))


def rows_of(samples: Samples, ids: Sequence[int], where: str) -> np.ndarray:
    """Return the rows of the samples with these ids, in their order; InputError where one is missing."""
    place = {sample: row for row, sample in enumerate(samples.ids.tolist())}
    missing = [each for each in ids if each not in place]
    if missing:
        some = ", ".join(map(str, samples.ids[:5].tolist()))
        raise InputError(
            f"sample {missing[0]} is not in {where}; its {len(samples):,} ids run from {samples.ids.min()} "
            f"to {samples.ids.max()}, such as {some}"
        )
    return np.array([place[each] for each in ids], dtype=np.int64)


def subjects_of(task: Task, samples: Samples) -> list[Subject]:
    """Return test samples with their codes, each as it is encoded when the split is judged."""
    codes = [
        code_of(encoded, row, samples.kind)
        for encoded, _ in task.batches(samples, np.arange(len(samples)), 100, "test")
        for row in range(len(encoded))
    ]
    read = samples.read()
    facts = zip(read.ids.tolist(), read.labels.tolist(), read.values, codes, strict=True)
    return [
        Subject(sample, label, value, read.kind, read.sensor, code) for sample, label, value, code in facts
    ]
