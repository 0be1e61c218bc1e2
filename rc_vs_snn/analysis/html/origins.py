"""Where the numbers come from, run by run, and what the stored runs do not tell."""

from collections.abc import Mapping, Sequence
from typing import Any

from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.html.cells import Cell, Sheet
from rc_vs_snn.analysis.html.points import stored
from rc_vs_snn.records import DECISIONS, TRACE, Record

NOT_RECORDED = "not recorded"


def runs_sheet(groups: Sequence[Group], unfinished: Sequence[Record]) -> Sheet:
    """Return one row per run, failed and skipped ones with their reason, with all in which runs differ."""
    records = [(group.label, run.record) for group in groups for run in group.runs]
    records += [(record.label, record) for record in unfinished]
    facts = [origin(record) for _, record in records]
    shared = shared_origin([record for _, record in records])
    differing = [name for name in facts[0] if name not in shared]
    rows = [
        [
            Cell(label),
            Cell(str(record.seed), record.seed),
            Cell(record.folder.name),
            Cell(f"{record.status}: {record.reason}" if record.reason else record.status),
            Cell(checksum_state(record)),
            *(Cell(found[name]) for name in differing),
        ]
        for (label, record), found in zip(records, facts, strict=True)
    ]
    header = ["model", "seed", "run folder", "status", "checksums", *differing]
    return Sheet("runs", "Every run", header, rows)


def shared_origin(records: Sequence[Record]) -> dict[str, str]:
    """Return what is the same of all runs."""
    facts = [origin(record) for record in records]
    return {name: value for name, value in facts[0].items() if all(one[name] == value for one in facts)}


def origin(record: Record) -> dict[str, str]:
    """Return the provenance of a run as texts by name."""
    found = record.provenance
    code: Mapping[str, Any] = found.get("code", {})
    hardware: Mapping[str, Any] = found.get("hardware", {})
    version = [str(code.get("version", NOT_RECORDED))]
    if "commit" in code:
        version.append(f"commit {str(code['commit'])[:10]}")
    if code.get("uncommitted_changes"):
        version.append("with uncommitted changes")
    packages = [f"{name} {number}" for name, number in found.get("packages", {}).items()]
    return {
        "command": str(found.get("command", NOT_RECORDED)),
        "code": ", ".join(version),
        "Python": str(found.get("python", NOT_RECORDED)),
        "packages": ", ".join(packages) or NOT_RECORDED,
        "hardware": ", ".join(_hardware(hardware)) or NOT_RECORDED,
        "device": str(found.get("device", NOT_RECORDED)),
        "threads": str(found.get("threads", NOT_RECORDED)),
        "started": str(found.get("started", NOT_RECORDED)),
        "seconds": str(found.get("seconds", NOT_RECORDED)),
    }


def _hardware(hardware: Mapping[str, Any]) -> list[str]:
    texts = [str(hardware[name]) for name in ("cpu", "gpu", "system") if hardware.get(name)]
    return texts + ([f"{hardware['cores']} cores"] if "cores" in hardware else [])


def checksum_state(record: Record) -> str:
    """Return how a run's files compare with the checksums written with them.

    A file that differs is an error when the run is read, so what is here has passed.
    """
    written = record.provenance.get("files")
    if not written:
        return "none recorded: the files were not checked"
    missing = [name for name in sorted(written) if not (record.folder / name).is_file()]
    state = f"{len(written) - len(missing)} files match"
    return f"{state}; not in this copy: {', '.join(missing)}" if missing else state


def left_out(groups: Sequence[Group]) -> list[str]:
    """Return which parts of the page some runs have no numbers for, and why."""
    notes = []
    for name, effect in (
        (TRACE, "their curves and all operating points but that of the rule as run"),
        (DECISIONS, "their histograms of decision steps, and confusion and samples of the rule as run"),
    ):
        lacking = {
            group.label: [str(run.record.seed) for run in group.runs if not stored(run, name)]
            for group in groups
        }
        whose = [
            f"{label} (seed{'s' * (len(seeds) > 1)} {', '.join(seeds)})"
            for label, seeds in lacking.items()
            if seeds
        ]
        if whose:
            notes.append(f"Left out, since these run folders hold no {name}: {effect}: {'; '.join(whose)}.")
    return notes
