"""Write the report: run folders in, one HTML file out."""

import contextlib
import json
import stat
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn.analysis.figures.decision_step_histograms import DecisionStepHistograms
from rc_vs_snn.analysis.groups import FinishedRun, Group, group_runs
from rc_vs_snn.analysis.html import cells, origins, plots
from rc_vs_snn.analysis.html.compared import further_sentences, summary_sentences
from rc_vs_snn.analysis.html.points import Judged, LabelPoints, label_points, stored
from rc_vs_snn.analysis.writing import write_whole
from rc_vs_snn.errors import InputError
from rc_vs_snn.records import DECISIONS, Record
from rc_vs_snn.records.provenance import package_version

LARGEST = 5_000_000  # bytes: what a mail takes and a phone opens
SCRIPTS = ("tables.js", "chosen.js", "plot.js")
LEVELS = ((60, 8), (60, 4), (30, 4), (20, 2), (10, 0))
"""How many thresholds a label has at most, and how many samples a list: from the most to the least."""


def write_html(records: Sequence[Record], out: Path | str) -> Path:
    """Write some runs as one HTML page that needs no other file and no network.

    The same records give the same bytes. Runs that lack a trace or decisions (published copies) are in what
    their metrics allow; the page says what is left out. Many runs get fewer thresholds and samples each, so
    that the page stays below 5 MB.

    Args:
        records: runs of any status, in the order the labels shall have.
        out: the file; its folder is made if missing, and a file of that name is replaced.

    Returns:
        The file written.

    Raises:
        InputError: no finished run, a damaged one, more runs than a page holds, ``out`` cannot be written,
            or Bokeh or Jinja2 is not installed.
    """
    out = _writable(Path(out))
    _require_extra()
    groups = group_runs(records)
    unfinished = [record for record in records if record.status != "done"]
    for n_points, n_samples in LEVELS:
        page = _page(groups, unfinished, n_points, n_samples).encode()
        if len(page) < LARGEST:
            return write_whole(out, page)
    raise InputError(
        f"the page of {len(records)} runs would hold {len(page) / 1e6:.1f} MB, above {LARGEST / 1e6:g}; give "
        "fewer runs"
    )


def _page(groups: Sequence[Group], unfinished: Sequence[Record], n_points: int, n_samples: int) -> str:
    points = label_points(groups, n_points)
    header = cells.points_header(points)
    rows = [cells.point_cells(each, cells.MS in header) for each in points]
    judged_groups = [group for group in groups if all(stored(run, DECISIONS) for run in group.runs)]
    steps = DecisionStepHistograms().table(judged_groups) if judged_groups else None
    histograms = []
    if steps is not None:
        highest = float((steps["right"] + steps["wrong"]).max())
        histograms = [
            plots.histogram(groups.index(group), steps.where(label=group.label), highest)
            for group in judged_groups
        ]
    records = [run.record for group in groups for run in group.runs]
    data = {
        "plots": [plots.accuracy_time(points, header, rows), *histograms],
        "windows": {"near": plots.near_window(points), "whole": plots.whole_window(points)},
        "labels": [_label_data(each, n_samples) for each in points],
    }
    return _rendered(
        title=f"Accuracy against decision time: {', '.join(_distinct(groups, 'dataset'))}",
        sentences=summary_sentences(groups),
        further=further_sentences(groups),
        basis=_basis(groups),
        left_out=origins.left_out(groups),
        thinned=None if (n_points, n_samples) == LEVELS[0] else (n_points, n_samples),
        labels=[
            {"label": group.label, "colour": colour, "marker": marker, "traced": bool(each.traced)}
            for group, each, (colour, marker, _) in zip(groups, points, plots.looks(len(groups)), strict=True)
        ],
        bands=len(groups) <= plots.MOST_BANDS,
        told=[cells.told(each, header, label_rows) for each, label_rows in zip(points, rows, strict=True)],
        header=header,
        rows=rows,
        summary=cells.summary_sheet(groups),
        settings=cells.settings_sheet(groups),
        differences=cells.difference_sheet(groups),
        steps=None if steps is None else cells.steps_sheet(steps),
        histograms=[
            (item["target_id"], group.label) for item, group in zip(histograms, judged_groups, strict=True)
        ],
        runs=origins.runs_sheet(groups, unfinished),
        shared=origins.shared_origin([*records, *unfinished]),
        has_samples=bool(n_samples),
        sample_row=[cells.Cell(""), *[cells.Cell("", 0)] * 4, cells.Cell("")],
        data=data,
    )


def _label_data(points: LabelPoints, n_samples: int) -> dict[str, Any]:
    """Return what the page shows when a point of a label is chosen, run by run."""
    table = points.table
    return {
        "label": points.group.label,
        "at": np.stack([table["mean_step"], 100 * table["accuracy"]], axis=1).round(6).tolist(),
        "seeds": [run.record.seed for run in points.group.runs],
        "runs": [_run_data(points, run, n_samples) for run in points.group.runs],
    }


def _run_data(points: LabelPoints, run: FinishedRun, n_samples: int) -> list[Any]:
    return [None if judged is None else _point_data(judged, n_samples) for judged in points.judged(run)]


def _point_data(judged: Judged, n_samples: int) -> dict[str, Any]:
    """Return one run's decisions at one point: its numbers, confusion (cell, count, ...) and samples."""
    confusion = judged.confusion.ravel()
    filled = np.flatnonzero(confusion)
    right = judged.label == judged.truth
    found = {
        "n": [len(right), int(right.sum()), round(float(judged.step.mean()), 4), int(judged.decided.sum())],
        "k": judged.n_classes,
        "c": np.stack([filled, confusion[filled]], axis=1).ravel().tolist(),
        "h": _samples(judged, judged.hardest(n_samples)),
        "e": _samples(judged, judged.earliest(n_samples)),
    }
    return found if np.isnan(judged.threshold) else {**found, "t": cells.threshold_text(judged.threshold)}


def _samples(judged: Judged, chosen: np.ndarray) -> list[list[Any]]:
    return [
        [
            judged.ids[at].item() if judged.ids.dtype.kind in "iu" else str(judged.ids[at]),
            int(judged.truth[at]), int(judged.label[at]), int(judged.step[at]),
            f"{judged.evidence[at]:.4g}", int(judged.decided[at]),
        ]
        for at in chosen
    ]  # fmt: skip


def _basis(groups: Sequence[Group]) -> str:
    samples = ", ".join(f"{n:,}" for n in _distinct(groups, "n_samples"))
    steps = ", ".join(map(str, _distinct(groups, "n_steps")))
    seeds = ", ".join(map(str, _distinct(groups, "n_seeds")))
    intervals = "; ".join(dict.fromkeys(group.interval("accuracy").basis for group in groups))
    return (
        f"{', '.join(_distinct(groups, 'dataset'))}; test samples: {samples}; steps T: {steps}; seeds per "
        f"model: {seeds}. ±: {intervals}."
    )


def _distinct(groups: Sequence[Group], name: str) -> list[Any]:
    return list(dict.fromkeys(group.facts[name] for group in groups))


def _require_extra() -> None:
    for name in ("bokeh", "jinja2"):
        if find_spec(name) is None:
            raise InputError(
                f"the HTML report needs {name}, which is not installed: pip install 'rc_vs_snn[report]'"
            )


def _rendered(**context: Any) -> str:
    """Return the page; all is escaped but our own files, Bokeh's, and JSON that cannot end its element."""
    import bokeh
    import jinja2
    from bokeh.resources import Resources
    from markupsafe import Markup

    loader = jinja2.PackageLoader("rc_vs_snn.analysis.html", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    whole = {
        "early": loader.get_source(environment, "theme.js")[0],
        "css": loader.get_source(environment, "report.css")[0],
        "library": Resources(mode="inline", components=["bokeh"]).js_raw[0],
        "script": "".join(loader.get_source(environment, name)[0] for name in SCRIPTS),
        "data": _script_json(context.pop("data")),
    }
    return environment.get_template("page.jinja").render(
        version=package_version("rc_vs_snn"), bokeh_version=bokeh.__version__, **context,
        **{name: Markup(text) for name, text in whole.items()},
    ) + "\n"  # fmt: skip


def _script_json(data: Any) -> str:
    """Return JSON that stands in a script element whatever texts it holds."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _writable(out: Path) -> Path:
    """Return ``out`` with its folder made; raise InputError if no file can stand there."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISDIR(out.stat().st_mode):
                raise InputError(f"{out} is a folder; name the file to write, such as {out / 'report.html'}")
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        if isinstance(error, InputError):
            raise
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot write {out}: {why}; choose a writable place with free space") from error
    return out
