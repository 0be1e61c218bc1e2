"""Kept models in whole numbers beside themselves in floats, on test: `python -m benchmarks.fixed_point`.

Each model is exported at several widths (`rc-vs-snn export --format fixed`) and judged (`rc-vs-snn judge`) on
the test split, on which nothing was chosen. Differences are paired by sample, with 95 % intervals by
bootstrap.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

import rc_vs_snn as rv
from rc_vs_snn.analysis.statistics import mcnemar, paired_bootstrap
from rc_vs_snn.analysis.writing import write_whole
from rc_vs_snn.experiment.fixed_point import export_fixed, judge_fixed, widths
from rc_vs_snn.experiment.pretrained import default_folder, judge_pretrained
from rc_vs_snn.records import Record

SPIKING = ("mnist-fc/rank-snn", "mnist-conv/conv-rank-snn")
GATED = ("mnist-fc/rc-lstm", "mnist-conv/conv-rc-lstm")
WIDTHS = ((16, 16, "nearest"), (8, 16, "nearest"), (8, 8, "nearest"), (8, 8, "zero"))
OF_WEIGHTS = (16, 8)
DECAY_BITS = 12


@dataclass(frozen=True)
class Row:
    """One model at one width against itself in floats; shares in [0, 1], steps from 0."""

    model: str
    widths: str
    n_samples: int
    accuracy: float
    change: float
    change_low: float
    change_high: float
    p: float
    mean_step: float
    later: float
    later_low: float
    later_high: float
    equal_decisions: float
    equal_labels: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Export, judge, and write ``fixed-point.csv``, ``table.md`` and a figure per folder of models."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fixed_point", description=__doc__)
    parser.add_argument("--models", nargs="+", choices=SPIKING + GATED, default=SPIKING + GATED)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--runs", type=Path, default=Path("runs/fixed-point"))
    parser.add_argument("--out", type=Path, default=Path("analysis/fixed-point"))
    options = parser.parse_args(arguments)
    execution = rv.Execution(device="cpu", data_root=options.data_root)
    rows: list[Row] = []
    for name in options.models:
        judged = list(in_all_widths(name, options.runs, execution))
        rows += [row_of(name, judged[0], record) for record in judged]
        if name in SPIKING:
            draw(judged, options.out / name.partition("/")[0])
        print(markdown(rows), flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "fixed-point.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(map(asdict, rows))
    write_whole(options.out / "table.md", markdown(rows).encode())


def in_all_widths(name: str, runs: Path, execution: rv.Execution) -> Iterator[Record]:
    """Yield the run folders of a kept model in floats and at each width."""
    folder = default_folder() / name
    (record,) = judge_pretrained([folder], runs / "floats", execution)
    yield record
    spiking = name in SPIKING
    for bits, membrane_bits, rounding in (
        WIDTHS if spiking else [(bits, 16, "nearest") for bits in OF_WEIGHTS]
    ):
        given = widths(bits, membrane_bits, DECAY_BITS, rounding)  # type: ignore[arg-type]
        (made,) = export_fixed([rv.read_record(folder)], runs / name, given, execution)
        yield judge_fixed(made.folder, execution, out=runs / "judged" / name)


def row_of(name: str, before: Record, record: Record) -> Row:
    """Compare a run with the one in floats."""
    ours, theirs = record.decisions(), before.decisions()
    right, right_before = (each["label"] == each["true_label"] for each in (ours, theirs))
    change = paired_bootstrap(right, right_before)
    later = paired_bootstrap(ours["step"], theirs["step"])
    same = ours["label"] == theirs["label"]
    told = "floats" if record is before else record.label.removeprefix(f"{before.label}, ")
    return Row(
        name, told, len(right), float(right.mean()), change.value, change.low, change.high,
        mcnemar(right, right_before).p, float(np.mean(ours["step"])), later.value, later.low, later.high,
        float((same & (ours["step"] == theirs["step"])).mean()), float(same.mean()),
    )  # fmt: skip


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as a table."""
    lines = [
        "| model | numbers | accuracy % | change (points) | McNemar p | mean step | later by (steps) | same "
        "decision % | same label % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        changes = ["", "", "", "", ""]
        if row.widths != "floats":
            low, high = 100 * row.change_low, 100 * row.change_high
            changes = [
                f"{100 * row.change:+.2f} ({low:+.2f} to {high:+.2f})",
                f"{row.p:.2g}",
                f"{row.later:+.3f} ({row.later_low:+.3f} to {row.later_high:+.3f})",
                f"{100 * row.equal_decisions:.2f}",
                f"{100 * row.equal_labels:.2f}",
            ]
        lines.append(
            f"| {row.model} | {row.widths} | {100 * row.accuracy:.2f} | {changes[0]} | {changes[1]} | "
            f"{row.mean_step:.3f} | {changes[2]} | {changes[3]} | {changes[4]} |"
        )
    return "\n".join([*lines, ""])


def draw(records: Sequence[Record], out: Path) -> None:
    """Draw accuracy against decision step of runs in floats and in whole numbers."""
    drawn = rv.write_figures(records, out, only=["accuracy-vs-decision-step"])
    for path in drawn:
        if path.stem != "accuracy-vs-decision-step" or path.suffix == ".pdf":
            path.unlink()


if __name__ == "__main__":
    main()
