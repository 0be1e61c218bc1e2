"""What a run of the benchmarks leaves behind: JSON and a figure each, one table for all."""

import io
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from benchmarks.harness import Result
from rc_vs_snn.analysis import style
from rc_vs_snn.records.provenance import package_version, provenance

SCHEMA_VERSION = 1
PEERS = ("norse", "spikingjelly", "onnxruntime", "numba")


def write(folder: Path, name: str, result: Result, started: float, code: dict[str, Any]) -> None:
    """Write ``<name>.json``, ``.png`` and ``.svg``, each whole or not at all.

    Args:
        folder: where to.
        name: name of the benchmark.
        result: what it found.
        started: when it began, seconds since the epoch.
        code: the code version that was imported, which may not be the one on disk any more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    context = provenance(started)
    context["command"] = "python -m benchmarks " + context["command"].partition(" ")[2]
    context["code"] = code
    context["packages"] |= {peer: package_version(peer) for peer in PEERS}
    content = {"schema_version": SCHEMA_VERSION, "benchmark": name, **asdict(result), "provenance": context}
    _write(folder / f"{name}.json", (json.dumps(content, indent=1) + "\n").encode())
    if any(row.contender != result.baseline for row in result.rows):
        for suffix, metadata in (("png", {}), ("svg", {"Date": None})):
            drawn = io.BytesIO()
            with style.applied():
                draw(content).savefig(drawn, format=suffix, metadata=metadata)
            _write(folder / f"{name}.{suffix}", drawn.getvalue())


def write_table(folder: Path) -> str:
    """Write ``table.md`` from every benchmark's JSON in the folder, and return it."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    text = "\n".join(table(content) for content in found)
    _write(folder / "table.md", text.encode())
    return text


def table(content: dict[str, Any]) -> str:
    """Return one benchmark as Markdown."""
    context = content["provenance"]
    commit = context["code"].get("commit", "no commit")[:10]
    changed = " with uncommitted changes" if context["code"].get("uncommitted_changes") else ""
    packages = ", ".join(f"{name} {version}" for name, version in context["packages"].items())
    lines = [
        f"## {content['benchmark']}: {content['title']}",
        "",
        f"Ratio: {content['ratio']}. Median [quartiles] of n rounds, processor time, one thread. Code "
        f"{context['code']['version']} ({commit}{changed}), {context['hardware']['cpu']}, {packages}. "
        f"`{context['command'].strip()}`, started {context['started']}, {context['seconds']:.0f} s.",
        "",
        *(f"- {model}" for model in content.get("models", ())),
        *([""] if content.get("models") else []),
        "| case | contender | figure | ratio | n |",
        "|---|---|---|---|---|",
    ]
    for row in content["rows"]:
        figure = f"{row['median']:.4g} [{row['quartiles'][0]:.4g}, {row['quartiles'][1]:.4g}] {row['unit']}"
        ratio = f"{row['ratio']:.3g} [{row['ratio_quartiles'][0]:.3g}, {row['ratio_quartiles'][1]:.3g}]"
        ratio = "baseline" if row["contender"] == content["baseline"] else ratio
        lines.append(f"| {row['case']} | {row['contender']} | {figure} | {ratio} | {row['n']} |")
    for row in content["skipped"]:
        lines.append(f"| {row['case']} | {row['contender']} | skipped: {row['reason']} | | |")
    return "\n".join([*lines, ""])


def draw(content: dict[str, Any]) -> Figure:
    """Return the ratios by case, with their quartiles, on a logarithmic axis."""
    rows = [row for row in content["rows"] if row["contender"] != content["baseline"]]
    cases = list(dict.fromkeys(row["case"] for row in rows))
    contenders = list(dict.fromkeys(row["contender"] for row in rows))
    looks = style.looks(contenders)
    context = content["provenance"]
    single = ", memory of one" if any(row["unit"] == "MB" for row in rows) else ""
    note = (
        f"{content['title']}. {context['hardware']['cpu']}, one thread, processor time; medians and "
        f"quartiles of n = {max(row['n'] for row in rows)} rounds{single}; code "
        f"{context['code'].get('commit', context['code']['version'])[:10]}"
    )
    figure = style.new_figure(style.PAGE_INCHES, 0.9 + 0.24 * len(cases), note)
    axes = figure.add_subplot()
    for index, contender in enumerate(contenders):
        mine = [row for row in rows if row["contender"] == contender]
        nudge = 0.5 * ((index + 0.5) / len(contenders) - 0.5)
        middle = [row["ratio"] for row in mine]
        axes.errorbar(
            middle,
            [cases.index(row["case"]) + nudge for row in mine],
            xerr=[
                [row["ratio"] - row["ratio_quartiles"][0] for row in mine],
                [row["ratio_quartiles"][1] - row["ratio"] for row in mine],
            ],
            linestyle="none",
            marker=looks[contender].marker,
            color=looks[contender].colour,
            markersize=4,
        )
    axes.axvline(1, color=style.GREY, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(LogFormatter())
    axes.set_yticks(range(len(cases)), [style.plain(case) for case in cases])
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.set_xlabel(content["ratio"])
    handles = [
        style.key(name, linestyle="none", marker=looks[name].marker, color=looks[name].colour)
        for name in contenders
    ]
    style.add_legend(figure, handles, n_columns=min(3, len(handles)))
    return figure


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.{time.time_ns()}")
    partial.write_bytes(content)
    partial.replace(path)
