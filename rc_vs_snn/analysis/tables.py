"""The summary of a comparison: one row per configuration, as Markdown to read and CSV to compute with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rc_vs_snn.analysis.columns import Table, stack
from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.intervals import Interval, mean_interval, paired_difference, percent_decimals
from rc_vs_snn.records import Record
from rc_vs_snn.registry import rules

SUMMARISED = (
    "accuracy", "accuracy_decided", "coverage", "mean_step", "mean_ms", "median_step", "forced",
    "forced_accuracy", "tied", "accuracy_forced_at_step0", "accuracy_decided_at_step0",
    "share_decided_at_step0", "harmonic_mean", "parameters", "acs", "macs", "leaks", "train_seconds",
)  # fmt: skip
MS = "ms of input"
HEADER = (
    "model", "registered as", "dataset", "input code", "objective", "rule",
    "accuracy %", "over decided % (coverage %)", "mean step", "median step", "forced %", "tied %",
    "parameters", "ACs", "MACs", "leaks", "training s", "seeds",
)  # fmt: skip
TEXT_COLUMNS = 6
DIFFERENCES = "Paired differences (over shared seeds, ± as above):"
MISSING = "Not in the table:"


def summary_table(groups: Sequence[Group]) -> Table:
    """Return one row per configuration with every number's mean and half width, unrounded.

    Milliseconds have a column where a step of any configuration has a duration.

    Args:
        groups: finished runs.
    """
    rows = []
    for group in groups:
        point = group.operating_point([name for name in SUMMARISED if name != "mean_ms" or _timed(groups)])
        texts = {**group.facts, **dict(zip(HEADER[1:TEXT_COLUMNS], _texts(group), strict=True))}
        rows.append(point.tagged(**{name.replace(" ", "_"): value for name, value in texts.items()}))
    return stack(rows)


def summary_markdown(groups: Sequence[Group], unfinished: Sequence[Record] = ()) -> str:
    """Return the table, what its numbers rest on, paired differences and the runs that are missing.

    Args:
        groups: finished runs.
        unfinished: failed and skipped runs, named below the table with their reason.
    """
    header, rows = summary_rows(groups)
    parts = [markdown_table(header, rows, TEXT_COLUMNS), notes(groups)]
    for number, (against, rows) in enumerate(differences(groups)):
        parts += [DIFFERENCES] if number == 0 else []
        parts.append(markdown_table(against, rows, 1))
    if unfinished:
        parts += [MISSING, "\n".join(f"- {line}" for line in missing_runs(unfinished))]
    return "\n\n".join(parts) + "\n"


def summary_rows(groups: Sequence[Group]) -> tuple[list[str], list[list[str]]]:
    """Return the summary's header and its rows as they are read: rounded, with intervals.

    Milliseconds have a column where a step of any configuration has a duration.
    """
    header, rows = list(HEADER), [_row(group) for group in groups]
    if _timed(groups):
        at = header.index("mean step") + 1
        header.insert(at, MS)
        for row, group in zip(rows, groups, strict=True):
            row.insert(at, _milliseconds(group.interval("mean_ms")))
    return header, rows


def missing_runs(unfinished: Sequence[Record]) -> list[str]:
    """Return a line for each run that is not in the table, with its reason."""
    return [
        f"{record.label}, seed {record.seed}: {record.status}: {record.reason or 'no reason recorded'}"
        for record in unfinished
    ]


def _row(group: Group) -> list[str]:
    numbers = {name: group.interval(name) for name in SUMMARISED}
    decimals = percent_decimals(int(group.facts["n_samples"]))

    def percent(name: str) -> str:
        return numbers[name].spell(decimals, 100)

    return [
        group.label,
        *_texts(group),
        percent("accuracy"),
        f"{percent('accuracy_decided')} ({percent('coverage')})",
        numbers["mean_step"].spell(2),
        _plain(numbers["median_step"].mean),
        percent("forced"),
        percent("tied"),
        _plain(numbers["parameters"].mean),
        _operations(numbers["acs"]),
        _operations(numbers["macs"]),
        _operations(numbers["leaks"]),
        _plain_seconds(numbers["train_seconds"].mean),
        str(len(group.runs)),
    ]


def _timed(groups: Sequence[Group]) -> bool:
    return any(np.isfinite(group.interval("mean_ms").mean) for group in groups)


def _milliseconds(interval: Interval) -> str:
    return interval.spell(0) if np.isfinite(interval.mean) else ""


def _texts(group: Group) -> list[str]:
    config = group.runs[0].record.config
    name = str(config["model"]["name"])
    return [
        name,
        str(group.facts["dataset"]),
        code_text(group),
        objective_text(group),
        _spell_part(_with_defaults(config["rule"])),
    ]


def code_text(group: Group) -> str:
    """Return a group's input code with its options, such as "latency, n_steps=10, background=clip"."""
    encoder = {**group.runs[0].record.config["encoder"]}
    encoder.setdefault("n_steps", group.facts["n_steps"])
    return _spell_part(encoder)


def objective_text(group: Group) -> str:
    """Return a group's objective with its options, such as "rank-coding, beta=0.1"."""
    return _spell_part(group.runs[0].record.config["objective"])


def _with_defaults(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a rule with its thresholds, also those left at their default."""
    name = str(rule["name"])
    if name not in rules.names():  # a plug-in that is not installed where the records are read
        return rule
    defaults = {key: option.default for key, option in rules.options(name).items()}
    return {"name": name, **defaults, **rule}


def _spell_part(part: Mapping[str, Any]) -> str:
    options = [f"{key}={value}" for key, value in part.items() if key != "name"]
    return ", ".join([str(part["name"]), *options])


def _plain(value: float) -> str:
    if np.isnan(value):
        return "-"
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _plain_seconds(seconds: float) -> str:
    return "-" if np.isnan(seconds) else f"{seconds:.3g}"


def _operations(interval: Interval) -> str:
    """Return a count to three digits, in thousands or millions, with its interval."""
    if np.isnan(interval.mean):
        return "not counted"
    factor, unit = next(
        (size, name)
        for size, name in ((1e6, " M"), (1e3, " k"), (1.0, ""))
        if interval.mean >= size or size == 1
    )
    decimals = max(0, 2 - int(np.log10(max(interval.mean / factor, 1))))
    return interval.spell(decimals if interval.mean else 0, 1 / factor) + unit


def basis(groups: Sequence[Group]) -> str:
    """Return what the intervals of some groups rest on."""
    counts = sorted({len(group.runs) for group in groups})
    return f"±: {'; '.join(mean_interval([0.0] * n).basis for n in counts)}."


def notes(groups: Sequence[Group]) -> str:
    """Return what the numbers of the summary are and rest on."""
    return (
        f"{basis(groups)} Steps are 0-based; accuracy is over all test samples, forced ones included "
        "(read at the last step). ACs (accumulates, at synapses that spikes enter), MACs "
        "(multiply-accumulates, at synapses that real numbers enter) and leaks (multiplications of a state "
        "by its decay) are means per sample up to the decision."
    )


def differences(groups: Sequence[Group]) -> list[tuple[list[str], list[list[str]]]]:
    """Return for each corpus the header and the rows of the differences to the first group on it.

    What was judged on other samples, or in steps of another meaning, is not subtracted.
    """
    tables = []
    corpora = dict.fromkeys((group.facts["dataset"], group.facts["n_samples"]) for group in groups)
    for corpus in corpora:
        first, *others = (
            group for group in groups if (group.facts["dataset"], group.facts["n_samples"]) == corpus
        )
        rows = [row for group in others if (row := _difference(group, first))]
        if rows:
            tables.append(([f"minus {first.label}", "accuracy (points)", "mean step", "seeds"], rows))
    return tables


def _difference(group: Group, first: Group) -> list[str] | None:
    shared = {run.record.seed for run in group.runs} & {run.record.seed for run in first.runs}
    if len(shared) < 2:
        return None
    accuracy, step = (
        paired_difference(_by_seed(group, name), _by_seed(first, name)) for name in ("accuracy", "mean_step")
    )
    return [group.label, accuracy.spell(2, 100), step.spell(2), str(accuracy.n)]


def _by_seed(group: Group, name: str) -> dict[int, float]:
    return {run.record.seed: run.metric(name) for run in group.runs}


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], n_texts: int) -> str:
    """Return an aligned Markdown table; columns from ``n_texts`` on are numbers, to the right."""
    cells = [[text.replace("|", "\\|").replace("\n", " ") for text in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = ["-" * width if index < n_texts else "-" * (width - 1) + ":" for index, width in enumerate(widths)]
    aligned = [
        [
            cell.ljust(width) if index < n_texts else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (cells[0], rule, *cells[1:])
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in aligned)
