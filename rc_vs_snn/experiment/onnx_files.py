"""Trained models as ONNX files: one step each, checked against ours before it is put in place."""

import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn.analysis.files import write_all
from rc_vs_snn.checks import check_whole
from rc_vs_snn.config import RunConfig, slug
from rc_vs_snn.contracts import Decision
from rc_vs_snn.decision.evidence import read_by
from rc_vs_snn.decision.rules import thresholds_of
from rc_vs_snn.decision.traced import traced
from rc_vs_snn.encoded import Encoded, SpikeTimes
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import restore, spelt, stored_config
from rc_vs_snn.experiment.onnx_running import Agreement, compare, joined
from rc_vs_snn.experiment.pretrained import best_runs
from rc_vs_snn.models.adapters.onnx_file import session_of
from rc_vs_snn.models.onnx_step import need_onnx, step_graph
from rc_vs_snn.records import Record
from rc_vs_snn.records.provenance import package_version
from rc_vs_snn.training.task import Task

CHECKED = 1000
"""Validation samples that a file is checked on."""
KEPT = 10
"""Of these, samples that are kept beside it, for a check wherever it goes."""
BATCH = 250


@dataclass(frozen=True)
class Exported:
    """An ONNX file that was written.

    Attributes:
        path: the file.
        samples: ``.npz`` beside it: a few inputs, and what was decided of each.
        agreement: what the check found.
    """

    path: Path
    samples: Path
    agreement: Agreement


def export_onnx(
    runs: Sequence[Record], out: Path | str, execution: Execution | None = None, *, checked: int = CHECKED
) -> Iterator[Exported]:
    """Write the step of each configuration's best seed, by validation accuracy, as an ONNX file.

    Each file is run in onnxruntime on validation samples before it is put in place.

    Args:
        runs: runs of any status; of one label, the finished one that validated best is taken.
        out: the folder of the files; those of the same name are replaced.
        execution: threads, data root; the graph is made on the CPU.
        checked: how many validation samples a file is checked on.

    Yields:
        Each file, once it is there.

    Raises:
        InputError: no finished run, the extra ``onnx`` is not installed, something in a model cannot be
            exported, the file says other things than the model, or ``out`` cannot be written.
    """
    need_onnx()
    check_whole(checked, "samples", 1)
    execution = replace(execution or Execution(), device="cpu")
    for record in best_runs(runs).values():
        yield _export(record, Path(out), execution, checked)


def _export(record: Record, out: Path, execution: Execution, checked: int) -> Exported:
    config = stored_config(record, execution)
    with torch_settings(execution):
        splits, task = restore(config, record.folder, execution)
        task.model.eval()
        rows = np.arange(min(checked, len(splits.valid)))
        parts = task.batches(splits.valid, rows, BATCH, "valid")
        first, _ = next(parts)
        try:
            content = onnx_of(task, first, splits.n_classes, facts_of(config, record))
        except InputError as error:
            raise InputError(f"{config.label}: {error}") from error
        session = session_of(content)
        codes = itertools.chain([first], (code for code, _ in parts))
        agreement = joined([compare(session, task.model, task.rule, code) for code in codes])
    agreement.require(config.label)
    stem = slug(config.label)
    few = first.select(np.arange(min(KEPT, len(first))))
    files = {f"{stem}.onnx": content, f"{stem}-samples.npz": _samples(few, agreement.ours)}
    path, samples = write_all(out, files)
    return Exported(path, samples, agreement)


def _samples(code: Encoded, decision: Decision) -> bytes:
    """Return samples as arrays: what goes in at every step, and what was decided of each."""
    inputs = np.stack([code.at(step).numpy() for step in range(code.n_steps)], 1)  # (N, T, C)
    lengths = np.broadcast_to(np.asarray(code.last_steps()) + 1, len(code))
    decided = {name: value[: len(code)] for name, value in vars(decision).items()}
    file = io.BytesIO()
    np.savez_compressed(file, inputs=inputs.astype(np.float32), lengths=lengths, **decided)
    return file.getvalue()


def facts_of(config: RunConfig, record: Record) -> dict[str, Any]:
    """Return what a file says of the run that it is from."""
    return {
        "label": config.label,
        "seed": config.seed,
        "run": record.folder.absolute().name,
        "dataset": config.dataset.to_table(),
        "encoder": config.encoder.to_table(),
        "model": config.model.to_table(),
        "rule": config.rule.to_table(),
    }


def onnx_of(task: Task, code: Encoded, n_classes: int, facts: Mapping[str, Any]) -> bytes:
    """Return a model's step as the content of an ONNX file.

    Args:
        task: the model and its rule.
        code: any samples, encoded as it takes them.
        n_classes: number of classes K.
        facts: what the file says besides, plain values by name.

    Raises:
        InputError: something in the model cannot be exported, or it is too large for one file.
    """
    import onnx

    evidence = read_by(task.rule, task.model.evidence)
    known = traced(evidence, n_classes)
    found = step_graph(task.model, code.n_channels, *(() if known is None else (known.step, known.widths)))
    thresholds = spelt(thresholds_of(task.rule, code.n_steps))
    told = {
        "rc_vs_snn": package_version("rc_vs_snn"),
        **facts,
        "input": _told(code),
        "n_channels": code.n_channels,
        "layout": list(code.layout),
        "n_steps": code.n_steps,
        "n_classes": n_classes,
        "evidence": repr(evidence),
        "thresholds": ["inf" if each == "never" else each for each in thresholds],
        "state": [asdict(part) for part in found.state],
        **({} if code.step_ms is None else {"step_ms": code.step_ms}),
    }
    onnx.helper.set_model_props(
        found.graph,
        {name: value if isinstance(value, str) else json.dumps(value) for name, value in told.items()},
    )
    found.graph.doc_string = _DOC if known else _DOC_WITHOUT
    try:
        onnx.checker.check_model(found.graph)
        return found.graph.SerializeToString()
    except ValueError as error:  # protobuf holds 2 GB
        raise InputError(f"the model is too large for one ONNX file: {error}") from error


_RULE = (
    "evidence of a class reaches thresholds[step], or that is the last; the class with the most evidence is "
    "the answer."
)
_DOC = (
    "One step of a temporal classifier. Begin with the state that the metadata gives, feed next.* back as "
    f"state.*, and stop at the first step at which the {_RULE}"
)
_DOC_WITHOUT = (
    "One step of a temporal classifier. Begin with the state that the metadata gives, feed next.* back as "
    "state.*, make the evidence that the metadata names of the readouts, and stop at the first step at which "
    f"the {_RULE}"
)


def _told(code: Encoded) -> str:
    """Return what stands in the input of a step."""
    if isinstance(code, SpikeTimes):
        held = "from the step of its spike on" if code.hold else "at the step of its spike"
        return f"1 for a channel {held}, else 0"
    if code.analogue:
        return "the value of each channel at this step"
    return "the number of spikes of each channel at this step"
