"""Commands that tell how runs stand, and repeat one. Each imports what it needs when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

if TYPE_CHECKING:
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
