"""Commands that judge stored runs again. Each imports what it needs when it runs."""

from pathlib import Path
from typing import Literal

from rc_vs_snn.cli.options import EXECUTION, Executed, read_runs
from rc_vs_snn.config import Part
from rc_vs_snn.errors import InputError


def evaluate(
    run: Path,
    /,
    *,
    split: Literal["train", "valid", "test"] = "test",
    threshold: float | None = None,
    rule: Path | None = None,
    mean_step: float | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Judge a finished run again from its weights.

    Prints its metrics on a split as JSON.

    Args:
        run: a run folder.
        split: which samples.
        threshold: judge with another constant threshold.
        rule: judge with the rule of a file, as `calibrate` writes it.
        mean_step: shift the thresholds so that the mean decision step on valid is at most this.
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment import evaluate
    from rc_vs_snn.experiment.calibrating import read_rule
    from rc_vs_snn.records import json_text, read_record

    if threshold is not None and rule is not None:
        raise InputError("give either --threshold or --rule")
    chosen, evidence = read_rule(rule) if rule else (None, None)
    if threshold is not None:
        chosen = Part("first-spike", {"threshold": threshold})
    metrics = evaluate(
        read_record(run), execution, split=split, rule=chosen, evidence=evidence, mean_step=mean_step
    )
    print(json_text(metrics))


def calibrate(
    run: Path,
    /,
    *,
    mean_step: float | None = None,
    loss: float | None = None,
    gap: float | None = None,
    alpha: float | None = None,
    correction: Literal["bonferroni", "simultaneous"] = "bonferroni",
    evidence: str | None = None,
    out: Path | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Set a finished run's rule on its validation split.

    Prints the rule, and what comes of it on valid and test, as JSON. Give one aim.

    Args:
        run: a run folder.
        mean_step: decide as late as this mean step on valid allows.
        loss: decide as soon as this loss of accuracy on valid allows, in percentage points.
        gap: a threshold per step on how far the best class is ahead, above which all but this share are right
            for good.
        alpha: conformal: stop where a set that misses the true class with at most this probability holds one.
        correction: of conformal sets over time.
        evidence: what the rule reads: a name, or a table such as '{ name = "cumulative", of = "entropy" }'.
        out: a JSON file to write, for `evaluate --rule`.
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment.calibrating import calibrate, part_from_text
    from rc_vs_snn.records import json_text, read_record, write_json

    found = calibrate(
        read_record(run), execution, mean_step=mean_step, loss=loss, gap=gap, alpha=alpha,
        correction=correction, evidence=None if evidence is None else part_from_text(evidence, "--evidence"),
    )  # fmt: skip
    print(json_text(found))
    if out is not None:
        try:
            write_json(out, found)
        except OSError as error:
            raise InputError(f"cannot write {out}: {error.strerror or error}") from error


def exits(
    runs: list[Path], /, *, loss: float = 0.1, out: Path | None = None, execution: Executed = EXECUTION
) -> None:
    """Judge finished runs under every exit: rules of the field, each set on valid for one budget.

    Writes a table and a figure: how soon each decides on test, and what it costs in accuracy.

    Args:
        runs: run folders, or folders of run folders. Their stored traces are used; what they lack is computed
            from their weights.
        loss: what each exit may lose on valid against the end of the sequence, in percentage points.
        out: where to write (default: exits/ in the first folder).
        execution: how runs are executed.
    """
    from rc_vs_snn.analysis.exits import TracedRun
    from rc_vs_snn.analysis.exits_drawn import write_exits
    from rc_vs_snn.experiment.calibrating import traces

    if not 0 <= loss < 100:
        raise InputError(f"a loss is given in percentage points, at least 0 and below 100, got {loss:g}")
    found = [record for record in read_runs(runs) if record.status == "done"]
    if not found:
        raise InputError(f"no finished run in {', '.join(map(str, runs))}; run the failed ones again")
    traced = [
        TracedRun(record.label, record.config["dataset"]["name"], record.seed, *traces(record, execution))
        for record in found
    ]
    for path in write_exits(traced, out or runs[0] / "exits", loss / 100):
        print(path.read_text(encoding="utf-8") if path.suffix == ".md" else path)
