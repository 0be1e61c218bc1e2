"""The summary of a comparison for a paper: booktabs tables with the numbers of ``summary.md``."""

import re
from collections.abc import Sequence

from rc_vs_snn.analysis.groups import Group
from rc_vs_snn.analysis.tables import (
    DIFFERENCES,
    MISSING,
    differences,
    missing_runs,
    notes,
    summary_rows,
)
from rc_vs_snn.records import Record

HEAD = "% \\usepackage{array,booktabs} in the preamble; \\input{summary} where there is a page's width."
SETUP = ("registered as", "dataset", "input code", "objective", "rule")
COSTS = ("median step", "tied %", "parameters", "ACs", "MACs", "leaks", "training s")
LONG = ("input code", "objective", "rule")
LONG_HEADER = 10  # signs; a longer one is set in two lines
SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "\n": " ",
    "±": r"\ensuremath{\pm}", "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}", "≤": r"\ensuremath{\leq}", "≥": r"\ensuremath{\geq}",
    "†": r"\dag{}",
}  # fmt: skip
_ESCAPES = str.maketrans(SPECIAL)


def escaped(text: str) -> str:
    """Return a text as LaTeX that reads the same."""
    return text.translate(_ESCAPES)


def summary_latex(groups: Sequence[Group], unfinished: Sequence[Record] = ()) -> str:
    """Return the summary as LaTeX: results, what was compared, paired differences, and the notes below.

    Args:
        groups: finished runs.
        unfinished: failed and skipped runs, named in the notes with their reason.
    """
    header, rows = summary_rows(groups)
    several = len({group.facts["dataset"] for group in groups}) > 1
    results = [name for name in header if name not in (*SETUP, *COSTS)]
    if several:
        results.insert(1, "dataset")
    parts = [
        HEAD,
        *(_tabular(header, rows, columns) for columns in (results, ["model", *SETUP], ["model", *COSTS])),
    ]
    tables = differences(groups)
    if tables:
        parts += [rf"{{\footnotesize {escaped(DIFFERENCES)}\par}}"]
        parts += [_tabular(against, lines, against) for against, lines in tables]
    told = [notes(groups)]
    if unfinished:
        told.append(f"{MISSING} {'; '.join(missing_runs(unfinished))}.")
    parts.append(rf"{{\footnotesize {escaped(' '.join(told))}\par}}")
    return "\n\n\\medskip\n".join(parts).replace("\n\n\\medskip", "", 1) + "\n"


def _tabular(header: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[str]) -> str:
    """Return some columns of a table; texts to the left, the long ones in lines, numbers to the right."""
    places = [header.index(name) for name in wanted]
    forms = [_form(name, name == header[0]) for name in wanted]
    head = " & ".join(_head(name, form) for name, form in zip(wanted, forms, strict=True))
    lines = [" & ".join(_cell(row[at], form) for at, form in zip(places, forms, strict=True)) for row in rows]
    body = "\n".join([head + r" \\", r"\midrule", *(line + r" \\" for line in lines)])
    return (
        "{\\footnotesize\\setlength{\\tabcolsep}{4pt}%\n"
        f"\\begin{{tabular}}{{@{{}}{''.join(forms)}@{{}}}}\n\\toprule\n{body}\n\\bottomrule\n\\end{{tabular}}\\par}}"
    )


def _form(name: str, first: bool) -> str:
    if first or name in LONG:
        return rf">{{\raggedright\arraybackslash}}p{{{0.2 if first else 0.155}\linewidth}}"
    return "l" if name in SETUP else "r"


def _head(name: str, form: str) -> str:
    words = name.split()
    if form != "r" or len(name) <= LONG_HEADER or len(words) < 2:
        return escaped(name)
    cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    upper, lower = min(cuts, key=lambda cut: max(map(len, cut)))
    return rf"\begin{{tabular}}[b]{{@{{}}r@{{}}}}{escaped(upper)}\\{escaped(lower)}\end{{tabular}}"


def _cell(text: str, form: str) -> str:
    if form == "r":
        text = re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", text)
    return escaped(text)
