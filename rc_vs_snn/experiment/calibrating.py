"""Setting a rule for a stored run on its validation split, and keeping it in a file."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

from rc_vs_snn import registry
from rc_vs_snn.config import Part
from rc_vs_snn.contracts import Trace
from rc_vs_snn.decision.calibration import calibrated, halfway, top_k_gap, within_loss
from rc_vs_snn.decision.conformal import conformal
from rc_vs_snn.decision.exits import judged
from rc_vs_snn.decision.metrics import plugged_in, summarise
from rc_vs_snn.decision.rules import Rule, thresholds_of
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.judging import restore, spelt, stored_config, trace_split
from rc_vs_snn.experiment.parts import build_part, build_rule
from rc_vs_snn.records import Record

Correction = Literal["bonferroni", "simultaneous"]
TOP_K = Part("cumulative", {"pool": "sum", "of": "gap"})


def calibrate(
    record: Record,
    execution: Execution | None = None,
    *,
    mean_step: float | None = None,
    loss: float | None = None,
    gap: float | None = None,
    alpha: float | None = None,
    correction: Correction = "bonferroni",
    evidence: Part | None = None,
) -> dict[str, Any]:
    """Set a rule on a run's validation split, by one of four aims.

    Args:
        record: a finished run. Its stored traces are used; what they lack is computed from its weights.
        execution: device, threads, data root.
        mean_step: decide as late as this mean step on valid allows, 0-based.
        loss: decide as soon as this loss of accuracy on valid allows, in percentage points.
        gap: decide where the best class is so far ahead that it is right, now and to the end, but for this
            share (a threshold per step).
        alpha: stop where a conformal set, which misses the true class with at most this probability, holds
            one class.
        correction: of conformal sets over time, "bonferroni" or "simultaneous".
        evidence: what the rule reads; by default what the run's reads, or for ``gap`` the gap of summed
            readouts.

    Returns:
        ``rule`` and, where it is not the model's own, ``evidence`` as tables, ``aim``, and the metrics under
        the rule on ``valid``, on which it was chosen, and ``test``.

    Raises:
        InputError: not exactly one aim, an aim out of reach, or a run that is not finished or lacks data.
    """
    aims = {"mean_step": mean_step, "loss": loss, "gap": gap, "alpha": alpha}
    given = {name: value for name, value in aims.items() if value is not None}
    if len(given) != 1:
        raise InputError(f"give one aim of {', '.join(aims)}, got {', '.join(given) or 'none'}")
    if alpha is not None and evidence is not None:
        raise InputError("a conformal rule reads the class probabilities; leave out the evidence")
    record.require_done()
    valid, test = traces(record, execution)
    if alpha is not None:
        chosen: Rule = conformal(valid, alpha, correction)
        read: Part | None = Part("exclusion")
    elif gap is not None:
        read = evidence or TOP_K
        chosen = top_k_gap(valid, build_part(registry.evidences, read), gap)
    else:
        base, read = _base(record, evidence)
        kind = record.metrics["evidence"]
        if mean_step is not None:
            chosen = calibrated(valid, base, kind, mean_step)
        else:
            chosen = within_loss(valid, base, kind, float(given["loss"]) / 100)
    thresholds = spelt(thresholds_of(chosen, valid.n_steps))
    table = {"rule": Part("per-step", {"thresholds": thresholds}).to_table()}
    if read is not None:
        table["evidence"] = read.to_table()
    aim = {**given, **({"correction": correction} if alpha is not None else {})}
    results = {}
    for name, trace in (("valid", valid), ("test", test)):
        decision = judged(trace, chosen)
        results[name] = {**plugged_in(trace, decision), **summarise(trace, decision)}
    return {**table, "aim": aim, **results}


def _base(record: Record, evidence: Part | None) -> tuple[Rule, Part | None]:
    """Return the rule that is to be shifted, and the evidence that it reads if not the model's own."""
    if evidence is None:
        own = Part.of(record.config["evidence"]) if "evidence" in record.config else None
        return build_rule(Part.of(record.config["rule"]), own), own
    return halfway(build_part(registry.evidences, evidence)), evidence


def traces(record: Record, execution: Execution | None = None) -> tuple[Trace, Trace]:
    """Return a run's traces of valid and test with their readouts: the stored ones, or from its weights."""
    try:
        valid, test = record.trace("valid"), record.trace()
        if valid.readouts is not None and test.readouts is not None:
            return valid, test
    except InputError:
        pass  # an older run, or a copy that was left without them
    execution = execution or Execution()
    config = stored_config(record, execution)
    with torch_settings(execution):
        splits, task = restore(config, record.folder, execution)
        return trace_split(task, splits.valid, "valid"), trace_split(task, splits.test, "test")


def read_rule(path: Path) -> tuple[Part, Part | None]:
    """Return rule and evidence from a JSON or TOML file of a table ``rule`` and, if need be, ``evidence``.

    Raises:
        InputError: no such file, or it holds anything else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the rule file {path}: {getattr(error, 'strerror', error)}") from error
    known = ("rule", "evidence", "aim", "valid", "test")
    if not isinstance(table, Mapping) or "rule" not in table:
        raise InputError(f"{path} holds no table 'rule'; write one with rc-vs-snn calibrate --out {path}")
    for key in table:
        if key not in known:
            raise InputError(f"{path}: unknown key '{key}'; {did_you_mean(key, known)}")
    parts = {key: table.get(key) for key in ("rule", "evidence")}
    for key, value in parts.items():
        if not isinstance(value, str | Mapping) and (key, value) != ("evidence", None):
            raise InputError(f"{path}: {key} must be a name or a table with a name, got {value!r}")
    try:
        rule, evidence = (None if value is None else Part.of(value) for value in parts.values())
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return cast(Part, rule), evidence


def part_from_text(text: str, what: str) -> Part:
    """Return a part from its name, or from an inline TOML table such as ``{ name = "cumulative" }``.

    Raises:
        InputError: neither.
    """
    if not text.lstrip().startswith("{"):
        return Part(text)
    try:
        return Part.of(tomllib.loads(f"part = {text}")["part"])
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{what} '{text}' is no TOML table: {error}") from error
