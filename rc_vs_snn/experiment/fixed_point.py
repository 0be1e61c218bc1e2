"""Trained nets in whole numbers: compared on validation samples, written as files, judged.

A net without spiking neurons (LSTM, GRU) keeps its arithmetic in floats: its weights alone are whole numbers,
each target's with a power of two.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rc_vs_snn import records, registry
from rc_vs_snn.config import Part, RunConfig, slug
from rc_vs_snn.contracts import Samples, Splits
from rc_vs_snn.decision.evidence import read_by
from rc_vs_snn.decision.rules import thresholds_of
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.fixed_files import FixedFile, read_fixed, write_fixed
from rc_vs_snn.experiment.fixed_units import calibrated, decisions
from rc_vs_snn.experiment.foreign import JUDGED, judge
from rc_vs_snn.experiment.judging import require_trust, restore, spelt, stored_config
from rc_vs_snn.experiment.locks import locked_folder
from rc_vs_snn.experiment.pretrained import best_runs
from rc_vs_snn.kernels.fixed.reference import Arithmetic, Rounding
from rc_vs_snn.models.fixed_point import Widths
from rc_vs_snn.models.layers.fixed import Block
from rc_vs_snn.models.layers.snntorch_neuron import NeuronLayer
from rc_vs_snn.models.quantising import whole_weights
from rc_vs_snn.models.stack import Stack
from rc_vs_snn.records import Record
from rc_vs_snn.records.provenance import provenance
from rc_vs_snn.training.task import Task

BATCH = 250


@dataclass(frozen=True)
class Exported:
    """A net in whole numbers that was written.

    Attributes:
        folder: where.
        widths: in words.
        n_samples: validation samples that it was compared on.
        equal: share of its decisions (label and step) that are the net's.
        accuracy: its accuracy on them.
        before: that of the net.
    """

    folder: Path
    widths: str
    n_samples: int
    equal: float
    accuracy: float
    before: float

    @property
    def told(self) -> str:
        """The comparison in words."""
        return (
            f"{self.widths}; {100 * self.equal:.2f} % of {self.n_samples:,} validation samples are decided "
            f"as before, {100 * self.accuracy:.2f} % rightly (before: {100 * self.before:.2f} %)"
        )


def widths(bits: int, membrane_bits: int, decay_bits: int, rounding: Rounding) -> Widths:
    """Return checked widths; see ``Widths``."""
    return Widths(bits, Arithmetic(membrane_bits, decay_bits, rounding))


def export_fixed(
    runs: Sequence[Record], out: Path | str, widths: Widths, execution: Execution | None = None
) -> Iterator[Exported]:
    """Write each configuration's best seed, by validation accuracy, in whole numbers.

    Args:
        runs: runs of any status, or model folders; of one label, the finished one that validated best.
        out: the folder of the folders; those of the same name are replaced.
        widths: how many bits.
        execution: device, threads, data root.

    Yields:
        Each folder when it is written, and how its decisions on valid compare.

    Raises:
        InputError: no finished run, a layer that has no form in whole numbers, a code of real numbers, or
            ``out`` cannot be written.
    """
    execution = execution or Execution()
    best = best_runs(runs)
    with locked_folder(Path(out)):
        for label, record in best.items():
            config = stored_config(record, execution)
            with torch_settings(execution):
                splits, task = restore(config, record.folder, execution)
                try:
                    yield _export(record, config, splits, task, Path(out) / slug(label), widths)
                except InputError as error:
                    raise InputError(f"{label}: {error}") from error


def _export(
    record: Record, config: RunConfig, splits: Splits, task: Task, target: Path, widths: Widths
) -> Exported:
    started, net = time.time(), task.model.eval()
    made: Stack = net
    blocks: list[Block] = []
    weights: dict[str, np.ndarray] = {}
    if not isinstance(net, Stack):
        raise InputError(f"a {type(net).__name__} is not made of our layers, so its numbers are not known")
    before = _decisions_on(task, net, splits.valid)
    code = next(iter(task.batches(splits.train, np.arange(1), 1, "calibration")))[0]
    if any(isinstance(layer, NeuronLayer) for _, layer in net.passed()):
        made, blocks = calibrated(task, splits.train, widths)
    else:
        weights = whole_weights(net, widths.weight_bits)
    found, labels = _decisions_on(task, made, splits.valid), torch.from_numpy(splits.valid.labels)
    right, right_before = (float((each[0] == labels).double().mean()) for each in (found, before))
    equal = float((found == before).all(0).double().mean())
    compared = {"n_samples": len(labels), "equal_decisions": equal, "accuracy": right, "before": right_before}
    origin = {"run": record.folder.name, "valid": compared, **provenance(started)}
    file = FixedFile(
        config, code.layout, splits.n_classes, net.evidence, widths, blocks, weights,
        _thresholds(task, code.n_steps, blocks), origin,
    )  # fmt: skip
    folder = target.with_name(f"{target.name}-{file.suffix}")
    with records.atomic_folder(folder, replace=True) as working:
        write_fixed(working, file)
    return Exported(folder, file.told, len(labels), equal, right, right_before)


def _decisions_on(task: Task, net: Stack, samples: Samples) -> Tensor:
    batches = task.batches(samples, np.arange(len(samples)), BATCH, "valid")
    return decisions(task, net, (encoded for encoded, _ in batches))


def _thresholds(task: Task, n_steps: int, blocks: Sequence[Block]) -> dict[str, Any]:
    """Return what the rule compares with what at every step; of membranes, the least number that reaches."""
    reads = registry.evidences.name_of(read_by(task.rule, task.model.evidence))
    limits = thresholds_of(task.rule, n_steps)
    if reads != "membrane" or not blocks:
        return {"reads": reads, "thresholds": spelt(limits)}
    numbers = np.ceil(limits * 2.0 ** blocks[-1].exponent)
    least = [each if isinstance(each, str) else int(each) for each in spelt(numbers)]
    return {"reads": reads, "thresholds": spelt(limits), "least_membranes": least}


def judge_fixed(
    folder: Path | str,
    execution: Execution | None = None,
    *,
    rule: Part | None = None,
    label: str | None = None,
    out: Path | str = JUDGED,
    overwrite: bool = False,
) -> Record:
    """Judge a net in whole numbers on the data, code and rule of its run; see ``judge``.

    Args:
        folder: what ``export_fixed`` wrote.
        execution: device, threads, data root.
        rule: another rule than the run's.
        label: by default the run's, and the widths.
        out: the folder of run folders in which its own is written.
        overwrite: whether a run that was trained there is replaced.

    Raises:
        InputError: files that are not what was written, and see ``judge``.
    """
    execution = execution or Execution()
    file = read_fixed(folder)
    config = file.config
    require_trust(config, Path(folder), execution)
    return judge(
        file.build(), config.dataset, config.encoder, rule=rule or config.rule, reads=config.evidence,
        label=label or file.label, out=out, seed=config.seed, execution=execution, overwrite=overwrite,
    )  # fmt: skip
