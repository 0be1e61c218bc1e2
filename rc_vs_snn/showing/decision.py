"""One decision: the input as it came, and the evidence that grew with it, up to the step of the decision."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from rc_vs_snn import registry
from rc_vs_snn.analysis import style
from rc_vs_snn.analysis.columns import Table
from rc_vs_snn.decision.evidence import read_by
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.records import Record
from rc_vs_snn.showing.drawing import draw_raster, draw_sample, draw_seen
from rc_vs_snn.showing.files import beside, write_shown
from rc_vs_snn.showing.subjects import Judgement, OpenRun, Subject, open_run

EVIDENCE = {
    "probability": "Class probability",
    "sigmoid": "Sigmoid of the class's logit",
    "membrane": "Output membrane potential",
}
DECIDED, TRUE, OTHERS = style.COLOURS[0], style.COLOURS[1], "0.7"


def show_decision(
    run: Record, sample: int | None = None, out: Path | None = None, execution: Execution | None = None
) -> list[Path]:
    """Draw how one test sample was decided.

    Args:
        run: a finished run, or a model folder.
        sample: id of the sample; None: the first of the test split.
        out: folder of the files; None: ``figures`` beside the run folder.
        execution: device, threads, data root, trust.

    Returns:
        The files: the figure as PNG, SVG and PDF, and the evidence at every step as CSV.

    Raises:
        InputError: no such sample, no corpus, nothing to judge it with, or code that is not trusted.
    """
    with open_run(run, execution or Execution()) as opened:
        sample = int(opened.splits.test.ids[0]) if sample is None else sample
        (subject,) = opened.subjects([sample])
        judged = opened.judge(sample)
        figure = draw_decision(opened, subject, judged)
        name = f"decision-{run.folder.name}-{sample}"
        return write_shown(figure, decision_table(subject, judged), out or beside(run), name)


def decision_table(subject: Subject, judged: Judgement) -> Table:
    """Return a row per step: threshold, input events, and the evidence of each class; what was decided."""
    steps = np.arange(subject.code.n_steps)
    evidence = {f"evidence_{label}": column for label, column in enumerate(judged.evidence.T)}
    events = subject.code.n_events()
    rows = Table({"step": steps, "threshold": judged.thresholds, "new_events": events, **evidence})
    return rows.tagged(
        id=subject.id, true_label=subject.label, label=judged.label, decision_step=judged.step,
        decided=judged.decided,
    )  # fmt: skip


@style.applied()
def draw_decision(opened: OpenRun, subject: Subject, judged: Judgement) -> Figure:
    """Return the figure: the sample, what had come in by then, and input and evidence over time."""
    code = subject.code
    said = verdict(opened, subject, judged)
    figure = style.new_figure(style.PAGE_INCHES, 3.4 if code.pixels else 4.4, f"{opened.title}: {said}")
    if code.pixels:
        panels = figure.subplot_mosaic([["sample", "raster"], ["seen", "curves"]], width_ratios=[1, 2.6])
    else:
        panels = figure.subplot_mosaic([["sample"], ["raster"], ["curves"]], height_ratios=[0.6, 1, 1])
    raster, curves = panels["raster"], panels["curves"]
    draw_sample(panels["sample"], subject)
    panels["sample"].set_title("the sample", loc="left")
    if code.pixels:
        draw_seen(panels["seen"], code, judged.step)
        panels["seen"].set_title(f"seen by step {judged.step}", loc="left")
    curves.sharex(raster)
    raster.tick_params(labelbottom=False)
    draw_raster(raster, code, judged.step)
    raster.set_ylabel("Input channel")
    _draw_evidence(curves, opened, subject, judged)
    for axes in (raster, curves):
        axes.axvline(judged.step, color=style.GREY, linewidth=0.7, linestyle=(0, (1, 1)))
    curves.set_xlabel("Step (0-based)")
    curves.locator_params(axis="x", integer=True)
    figure.align_ylabels([raster, curves])
    style.add_legend(figure, _legend(opened, subject, judged), 4)
    return figure


def verdict(opened: OpenRun, subject: Subject, judged: Judgement) -> str:
    """Return what was decided about a sample, in words."""
    names = opened.splits.class_names
    how = "decided" if judged.decided else "forced"
    step_ms = subject.code.step_ms
    time = "" if step_ms is None else f" after {(judged.step + 1) * step_ms:,.0f} ms of input"
    when = f"step {judged.step} of 0 to {len(judged.evidence) - 1}{time}"
    said = f"{how} at {when}: class {names[judged.label]}"
    verdict = "right" if judged.right else f"wrong, it is {names[subject.label]}"
    return f"test sample {subject.id}, {said}, {verdict}"


def evidence_label(opened: OpenRun) -> str:
    """Return what the evidence of a run's model is called on an axis."""
    kind = registry.evidences.name_of(read_by(opened.task.rule, opened.task.model.evidence))
    return EVIDENCE.get(kind, f"Evidence ({kind})")


def _draw_evidence(axes: Axes, opened: OpenRun, subject: Subject, judged: Judgement) -> None:
    steps = np.arange(len(judged.evidence))
    until = judged.step + 1
    order = sorted(range(judged.evidence.shape[1]), key=lambda label: label in (judged.label, subject.label))
    for label in order:
        colour = DECIDED if label == judged.label else TRUE if label == subject.label else OTHERS
        strong = colour != OTHERS
        evidence = judged.evidence[:, label]
        axes.plot(
            steps[:until], evidence[:until], color=colour, linewidth=1.4 if strong else 0.8,
            linestyle="-" if colour != TRUE else (0, (4, 1.5)), label=f"class {label}",
            marker="." if until == 1 else "",
        )  # fmt: skip
        axes.plot(steps[judged.step :], evidence[judged.step :], color=colour, linewidth=0.7, alpha=0.35)
    axes.step(steps, judged.thresholds, where="mid", color="black", linewidth=0.8, linestyle=(0, (2, 1.5)),
              label="threshold")  # fmt: skip
    axes.plot(
        [judged.step], [judged.evidence[judged.step, judged.label]],
        marker="o" if judged.decided else "s", markersize=6, color=DECIDED, markeredgecolor="black",
        label="decision",
    )  # fmt: skip
    if judged.step < steps[-1]:
        axes.axvspan(judged.step + 0.5, steps[-1] + 0.5, color="0.95", linewidth=0, zorder=0)
    axes.set_ylabel(evidence_label(opened))


def _legend(opened: OpenRun, subject: Subject, judged: Judgement) -> list[Line2D]:
    names = opened.splits.class_names
    how = "decided" if judged.decided else "forced"
    handles = [
        style.key(
            f"{how}: {names[judged.label]}",
            color=DECIDED, marker="o" if judged.decided else "s", markersize=5, markeredgecolor="black",
        )
    ]  # fmt: skip
    if not judged.right:
        handles.append(style.key(f"true: {names[subject.label]}", color=TRUE, linestyle=(0, (4, 1.5))))
    return [
        *handles,
        style.key("other classes", color=OTHERS),
        style.key("threshold", color="black", linewidth=0.8, linestyle=(0, (2, 1.5))),
    ]
