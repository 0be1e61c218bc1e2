"""The report of a reproduction: every configuration beside what others published, and the first step."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rc_vs_snn.analysis.groups import Group, group_runs
from rc_vs_snn.analysis.published import Published, PublishedResult
from rc_vs_snn.analysis.tables import basis, code_text, markdown_table
from rc_vs_snn.analysis.writing import write_whole
from rc_vs_snn.records import Record

REPORT = "report.md"
PUBLISHED_NOTE = (
    " Published numbers stand in their own column: other encodings, networks and rules, "
    "most of them one run. † quoted as the literature cites it, not read in the original."
)
FIRST_STEP_NOTE = (
    "*All read at step 0* gives every sample the class that is largest after one step. *Decided at step 0* "
    "leaves the undecided ones out, and *at the rule* lets them wait."
)


def write_report(
    parts: Mapping[str, Sequence[Record]], out: Path | str, published: Published | None = None
) -> Path:
    """Write ``report.md``: our rows beside published ones, if any, and accuracy at the first step.

    Args:
        parts: the finished runs of every part of a reproduction, by the part's title.
        out: the folder, which exists.
        published: what others published for the same corpus.

    Returns:
        The file written.

    Raises:
        InputError: no finished run in a part, or ``out`` cannot be written.
    """
    groups = {title: group_runs(records) for title, records in parts.items()}
    sections = ["# Report", _configurations(groups, published), _first_step(groups, published)]
    return write_whole(Path(out) / REPORT, ("\n\n".join(sections) + "\n").encode())


def _configurations(groups: Mapping[str, Sequence[Group]], published: Published | None) -> str:
    header: Sequence[str] = (
        "model", "part or source", "input code", "parameters", "ours: accuracy %", "ours: mean step",
        "ours: forced %", "seeds", "published: accuracy %",
    )  # fmt: skip
    rows = [_our_row(title, group) for title, members in groups.items() for group in members]
    title, note = (
        "Every configuration",
        basis([group for members in groups.values() for group in members]) + " Steps are 0-based.",
    )
    if published is None:
        header, rows = header[:-1], [row[:-1] for row in rows]
    else:
        title, note = "Beside what others published", note + PUBLISHED_NOTE
        rows += [_published_row(entry) for entry in published.results]
    return "\n\n".join([f"## {title}", markdown_table(header, rows, 3), note])


def _first_step(groups: Mapping[str, Sequence[Group]], published: Published | None) -> str:
    header = (
        "model", "part", "input code", "all read at step 0 %", "decided at step 0 %", "(their share %)",
        "right at step 0, of all %", "at the rule %", "seeds",
    )  # fmt: skip
    rows = [
        [
            group.label, title, code_text(group),
            *(
                group.interval(name).spell(2, 100)
                for name in (
                    "accuracy_forced_at_step0", "accuracy_decided_at_step0", "share_decided_at_step0",
                    "share_right_at_step0", "accuracy",
                )
            ),
            str(len(group.runs)),
        ]
        for title, members in groups.items()
        for group in members
    ]  # fmt: skip
    note = " ".join(filter(None, (published.first_step if published else "", FIRST_STEP_NOTE)))
    return "\n\n".join(["## After the first step", markdown_table(header, rows, 3), note])


def _our_row(title: str, group: Group) -> list[str]:
    return [
        group.label,
        title,
        code_text(group),
        f"{group.interval('parameters').mean:,.0f}",
        group.interval("accuracy").spell(2, 100),
        group.interval("mean_step").spell(2),
        group.interval("forced").spell(2, 100),
        str(len(group.runs)),
        "",
    ]


def _published_row(entry: PublishedResult) -> list[str]:
    mark = "" if entry.checked == "source" else " †"
    source = entry.source + (f"; {entry.note}" if entry.note else "")
    name = f"{entry.name} ({entry.family}, {entry.network})" if entry.network != "-" else entry.name
    return [name, source, "its own", "", "", "", "", "", f"{entry.accuracy_percent:g}{mark}"]
