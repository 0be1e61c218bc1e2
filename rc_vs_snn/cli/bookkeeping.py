"""Commands that tell how runs stand, and repeat one. Each imports what it needs when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
    from rc_vs_snn.experiment.rerunning import Rerun
    from rc_vs_snn.experiment.standing import Standing, Status

FEW = 60
"""So many runs are all listed."""
COLUMNS = ("run", "state", "epoch", "process", "since", "reason")

Form = Annotated[Literal["text", "json"], Parameter(name="--format")]


def status(
    folder: Path, /, *, form: Form = "text", every: Annotated[bool, Parameter(name="--all")] = False
) -> int:
    """Tell how the runs below a folder stand, whoever makes them, on whatever machine.

    Exit codes: 0 all are done; 1 some failed or are damaged, and no other is missing; 3 some are yet to come
    (running, waiting, interrupted).

    Args:
        folder: a folder of runs, or of such folders.
        form: a table, or JSON for other programs.
        every: list all runs, also of more than 60 those that are done or waiting.
    """
    from rc_vs_snn.experiment.standing import status

    found = status(folder)
    print(_json(found) if form == "json" else _table(found, folder, every))
    if found.count("running", "waiting", "interrupted"):
        return 3
    return 0 if found.count("done") == len(found.runs) else 1


def _json(found: "Status") -> str:
    from dataclasses import asdict

    from rc_vs_snn.experiment.standing import STATES
    from rc_vs_snn.records import json_text

    runs: list[dict[str, Any]] = [{**asdict(run), "folder": str(run.folder)} for run in found.runs]
    counts = {state: found.count(state) for state in STATES}
    return json_text(
        {"counts": counts, "at_once": found.at_once, "seconds_left": found.seconds_left, "runs": runs}
    )


def _table(found: "Status", folder: Path, every: bool) -> str:
    listed = [
        run for run in found.runs
        if every or len(found.runs) <= FEW or run.state not in ("done", "waiting")
    ]  # fmt: skip
    rows = [COLUMNS, *(_row(run, folder) for run in listed)]
    used = [number for number in range(len(COLUMNS)) if any(row[number] for row in rows[1:])]
    widths = [max(len(row[number]) for row in rows) for number in used]
    lines = [
        "  ".join(row[number].ljust(width) for number, width in zip(used, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([_summary(found), *(["", *lines] if listed else [])])


def _row(run: "Standing", folder: Path) -> tuple[str, ...]:
    name = run.folder.relative_to(folder) if run.folder.is_relative_to(folder) else run.folder
    epoch = "" if run.epoch is None else f"{run.epoch} of {run.epochs}"
    process = "" if run.pid is None else f"{run.pid} on {run.host}"
    return str(name), run.state, epoch, process, run.since, " ".join(run.reason.split())


def _summary(found: "Status") -> str:
    from rc_vs_snn.experiment.standing import STATES, TO_COME

    counts = [f"{found.count(state)} {state}" for state in STATES[1:] if found.count(state)]
    text = ", ".join([f"{found.count('done')} of {len(found.runs)} runs done", *counts])
    if not found.count(*TO_COME):
        return text
    left = found.seconds_left
    told = "nobody can tell how long the rest takes" if left is None else f"about {_duration(left)} left"
    return f"{text}; {told} with {found.at_once} at once"


def _duration(seconds: float) -> str:
    """Return a duration to about two digits: 40 s, 12 min, 3 h 10 min, 2 d 4 h."""
    minutes, hours = round(seconds / 60), seconds / 3600
    if seconds < 90:
        return f"{seconds:.0f} s"
    if minutes < 90:
        return f"{minutes} min"
    if hours < 36:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{round(hours) // 24} d {round(hours) % 24} h"


def rerun(
    run: Path,
    /,
    *,
    out: Path | None = None,
    threads: int | None = None,
    device: str | None = None,
    data_root: Path | None = None,
    trust: bool = False,
    overwrite: bool = False,
    form: Form = "text",
) -> int:
    """Make a finished run again from what it records, and say what differs.

    Where it was made (code, packages, hardware, threads), and what came out: metrics, decisions, weights.
    Exit codes: 0 all that came out is equal, to the bit; 1 something differs.

    Args:
        run: a run folder.
        out: the run folder to make (default: runs/rerun/<name of the run folder>).
        threads: of torch (default: as many as the run had).
        device: auto, cpu, cuda or mps (default: that of the run).
        data_root: where the corpora lie.
        trust: run code that the run names by its path (module:attribute).
        overwrite: replace an earlier repetition.
        form: lines, or JSON for other programs.
    """
    from rc_vs_snn.cli.options import shown
    from rc_vs_snn.experiment.execution import Execution
    from rc_vs_snn.experiment.rerunning import rerun
    from rc_vs_snn.records import json_text, read_record

    found = rerun(
        read_record(run), out or Path("runs") / "rerun" / run.resolve().name,
        Execution(data_root=data_root, trust=trust), threads=threads, device=device, replace=overwrite,
        progress=shown(None),
    )  # fmt: skip
    if form == "json":
        told = {name: value for name, value in vars(found).items() if name != "record"}
        print(json_text({"equal": found.is_equal, "folder": str(found.record.folder), **told}))
    else:
        print("\n".join(_told(found)))
    return 0 if found.is_equal else 1


def _told(found: "Rerun") -> list[str]:
    """Return what a repetition came to, a few lines for each thing that may differ."""
    lines = []
    for what, differ in (
        ("where it was made", found.origin), ("configuration", found.config), ("metrics", found.metrics)
    ):  # fmt: skip
        lines += [f"{what}: {'the same' if not differ else ''}".rstrip(), *(f"  {text}" for text in differ)]
    if found.first_epoch is not None:
        lines.append(f"training: apart from epoch {found.first_epoch} on")
    counts = [f"{name} {count}" for name, count in found.otherwise.items() if count and name != "any"]
    apart = f"{found.otherwise['any']} of {found.n_samples} otherwise ({', '.join(counts)})"
    lines.append(f"decisions: {apart if found.otherwise['any'] else f'all {found.n_samples} the same'}")
    if found.weights:
        sizes = [size for size in found.weights.values() if size is not None]
        most = f", by up to {max(sizes):.3g}" if sizes else ""
        lines.append(f"weights: {len(found.weights)} tensors differ{most}")
    else:
        lines.append("weights: the same, to the bit")
    lines.append(f"{'equal' if found.is_equal else 'not equal'}: {found.record.folder}")
    return lines
