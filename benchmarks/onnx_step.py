"""To the decision by the step of an ONNX file in onnxruntime, and by us: the shipped nets, one thread each.

Inputs lie ready before the clock starts: for onnxruntime every step as float32, for us spike times, or the
channels that spike at each step. Its loop leaves at the decision and drops decided rows, as ours does.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from benchmarks import setup
from benchmarks.harness import Result, Row, Skipped, race
from rc_vs_snn.config import RunConfig
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.decision.batch import run_to_decision
from rc_vs_snn.decision.rules import thresholds_of
from rc_vs_snn.decision.stream import Decider, events_by_step
from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment import Execution
from rc_vs_snn.experiment.judging import restore
from rc_vs_snn.experiment.onnx_files import onnx_of
from rc_vs_snn.experiment.onnx_running import TOLERANCE, compare, joined
from rc_vs_snn.experiment.pretrained import default_folder
from rc_vs_snn.models.adapters.onnx_file import session_of
from rc_vs_snn.models.onnx_step import need_onnx
from rc_vs_snn.records import read_record
from rc_vs_snn.training.task import Task

SHIPPED = ("mnist-fc/rc-lstm", "mnist-fc/rank-snn", "mnist-conv/conv-rc-lstm", "mnist-conv/conv-rank-snn")
BATCH = 256
OURS, THEIRS = "ours", "onnxruntime"
Decisions = list[tuple[int, int]]


def run(scale: setup.Scale) -> Result:
    rows: list[Row] = []
    skipped: list[Skipped] = []
    about: list[str] = []
    try:
        need_onnx()
    except InputError as error:
        skipped.append(Skipped("every net", THEIRS, str(error)))
    for name, task, codes in () if skipped else _nets(scale):
        code = next(codes)
        content = onnx_of(task, code, 10, {})
        loop = Loop(content, thresholds_of(task.rule, code.n_steps).astype(np.float32))
        singles = code.select(np.arange(scale.singles))
        rows += _race(f"{name}, one at a time", singles, one_by_one(task, singles), loop.one_by_one, scale)
        rows += _race(f"{name}, batch {len(code)}", code, at_once(task, code), loop.at_once, scale)
        session = session_of(content)
        agreement = joined([compare(session, task.model, task.rule, part) for part in (code, *codes)])
        about.append(f"{name}: {agreement}, where {agreement.beyond} are off by more than {TOLERANCE:g}")
        about += [str(each) for each in agreement.different]
        print(f"  {about[-1]}", flush=True)
    return Result(
        f"to the decision in onnxruntime and by us, {scale.dataset} test",
        "time / ours (above 1: ours is quicker)",
        OURS,
        rows,
        skipped,
        about,
    )


def _nets(scale: setup.Scale) -> Iterator[tuple[str, Task, Iterator[Encoded]]]:
    """Yield the nets with all test samples in batches, of which the first is timed."""
    if scale.dataset != "mnist":  # a look at whether it runs
        for family in setup.THRESHOLDS:
            found = setup.trained(family, scale.n_steps, scale)
            code, _ = setup.test_batch(scale, scale.n_steps, scale.batch)
            yield family, _task(found.model, found.rule), iter([code])
        return
    for name in SHIPPED:
        record = read_record(default_folder() / name)
        execution = Execution(device="cpu", data_root=data_root())
        splits, task = restore(RunConfig.from_table(record.config), record.folder, execution)
        task.model.eval()
        batches = task.batches(splits.test, np.arange(len(splits.test)), BATCH, "test")
        yield name, task, (code for code, _ in batches)


def _task(model: Any, rule: Any) -> Task:
    unused: Any = None
    return Task(model, unused, unused, unused, rule, 0, torch.device("cpu"))


class Loop:
    """The step of a file, and the loop around it that `docs/take_a_net_elsewhere.md` shows."""

    def __init__(self, content: bytes, thresholds: np.ndarray) -> None:
        self._net, self._thresholds = session_of(content), thresholds
        self._parts = {each.name: each.shape[1:] for each in self._net.get_inputs()[1:]}

    def _start(self, rows: int) -> dict[str, np.ndarray]:
        return {name: np.zeros((rows, *shape), np.float32) for name, shape in self._parts.items()}

    def one_by_one(self, inputs: np.ndarray) -> Decisions:
        """Decide each of ``(T, B, C)`` alone."""
        return [self._alone(inputs[:, row : row + 1]) for row in range(inputs.shape[1])]

    def _alone(self, inputs: np.ndarray) -> tuple[int, int]:
        state = self._start(1)
        for step, x in enumerate(inputs):
            _, evidence, *new = self._net.run(None, {"input": x, **state})
            if evidence.max() >= self._thresholds[step]:
                break
            state = dict(zip(state, new, strict=True))
        return int(evidence.argmax()), step

    def at_once(self, inputs: np.ndarray) -> Decisions:
        """Decide ``(T, B, C)`` together; a decided row leaves."""
        n_steps, n_rows, _ = inputs.shape
        rows, state = np.arange(n_rows), self._start(n_rows)
        decided = [(0, 0)] * n_rows
        for step, x in enumerate(inputs):
            _, evidence, *new = self._net.run(None, {"input": x if len(rows) == n_rows else x[rows], **state})
            leaving = (evidence.max(1) >= self._thresholds[step]) | (step == n_steps - 1)
            for row, label in zip(rows[leaving].tolist(), evidence[leaving].argmax(1).tolist(), strict=True):
                decided[row] = label, step
            rows = rows[~leaving]
            if not len(rows):
                break
            state = {name: part[~leaving] for name, part in zip(state, new, strict=True)}
        return decided


def one_by_one(task: Task, code: Encoded) -> Callable[[], Decisions]:
    """Return what decides each sample by a Decider."""
    assert isinstance(code, SpikeTimes)
    events = events_by_step(code)
    decider = Decider(task.model, task.rule, code.n_steps, hold=code.hold)

    def decide() -> Decisions:
        found = []
        for sample in events:
            decider.reset()
            decided = next(filter(None, map(decider.push, sample)))
            found.append((decided.label, decided.step))
        return found

    return decide


def at_once(task: Task, code: Encoded) -> Callable[[], Decisions]:
    """Return what decides a batch."""

    @torch.inference_mode()
    def decide() -> Decisions:
        found = run_to_decision(task.model, code, task.rule)
        return list(zip(found.label.tolist(), found.step.tolist(), strict=True))

    return decide


def _race(
    case: str, code: Encoded, ours: Callable[[], Decisions], theirs: Callable[[np.ndarray], Decisions],
    scale: setup.Scale,
) -> list[Row]:  # fmt: skip
    inputs = np.stack([code.at(step).numpy() for step in range(code.n_steps)])
    mine, its = ours(), theirs(inputs)
    same = np.mean([one == other for one, other in zip(mine, its, strict=True)])
    assert same >= 0.99, f"{case}: only {same:.1%} are decided alike"
    mean_step = np.mean([step for _, step in mine])
    rows = race(
        f"{case}, mean step {mean_step:.2f}",
        {OURS: ours, THEIRS: lambda: theirs(inputs)},
        rounds=scale.rounds,
    )
    return [_per_sample(row, len(code)) for row in rows]


def _per_sample(row: Row, count: int) -> Row:
    """Return a row in microseconds for each of ``count`` samples."""
    low, high = row.quartiles
    scale = 1000 / count
    return Row(
        row.case, row.contender, row.median * scale, (low * scale, high * scale), row.n, "us", row.ratio,
        row.ratio_quartiles,
    )  # fmt: skip
