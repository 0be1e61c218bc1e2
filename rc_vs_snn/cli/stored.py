"""Commands that read stored runs. Each imports what it needs when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rc_vs_snn.cli.options import DRAWING, EXECUTION, Drawing, Executed, Names, draw, read_runs
from rc_vs_snn.config import Part
from rc_vs_snn.errors import InputError

if TYPE_CHECKING:
    from rc_vs_snn.records import Record


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


def figures(
    runs: list[Path],
    /,
    *,
    out: Path | None = None,
    only: Names = (),
    label: Names = (),
    order: str | None = None,
    drawing: Drawing = DRAWING,
) -> None:
    """Draw figures and table of stored runs.

    Figures are PNG, SVG and PDF, with their numbers as CSV; the table is Markdown, LaTeX and CSV.

    Args:
        runs: run folders, or folders of run folders, of any comparisons.
        out: where to write (default: figures/ in the first folder).
        only: a figure by name; repeatable.
        label: OLD=NEW: another label for a model; repeatable.
        order: labels that come first, such as A,B.
        drawing: how figures look.
    """
    drawing.options()  # its faults are told before anything is read
    found = read_runs(runs)
    options = drawing.options(*_labels(found, label, order))
    draw(found, out or runs[0] / "figures", only, options)


def _labels(found: "list[Record]", label: Names, order: str | None) -> tuple[dict[str, str], list[str]]:
    """Return new labels and the order of labels as typed, told apart by the labels there are."""
    if not label and order is None:
        return {}, []
    from rc_vs_snn.analysis.figure_options import label_order, label_pairs
    from rc_vs_snn.analysis.groups import group_runs

    known = [group.label for group in group_runs(found)]
    pairs = label_pairs(label, known)
    return pairs, [] if order is None else label_order(order, [*pairs.values(), *known])


def export(runs: list[Path], /, *, out: Path, execution: Executed = EXECUTION) -> None:
    """Keep each model's best seed, by validation accuracy, with a model card.

    Writes weights (safetensors) and a card for `compare --pretrained`.

    Args:
        runs: run folders, or folders of run folders.
        out: folder of the model folders.
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment.pretrained import export

    for folder in export(read_runs(runs), out, execution):
        print(folder)
