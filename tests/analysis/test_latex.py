"""The summary and the figures for LaTeX: the same numbers, text that reads the same, written without it."""

import re
import shutil
import subprocess

import numpy as np
import pytest
from matplotlib.figure import Figure

from rc_vs_snn.analysis import FigureOptions, style, write_figures
from rc_vs_snn.analysis.figure_options import arranged
from rc_vs_snn.analysis.groups import group_runs
from rc_vs_snn.analysis.latex import SPECIAL, escaped, summary_latex
from rc_vs_snn.analysis.pgf import pgf_files
from rc_vs_snn.analysis.tables import differences, notes, summary_rows

NAME = "50 % of A_b & C#1 ~ $x^2$ {\\d} <|>"


def read(cell: str) -> str:
    """What LaTeX prints of a cell."""
    cell = re.sub(r"\\begin{tabular}\[b\]{@{}r@{}}(.*?)\\\\(.*?)\\end{tabular}", r"\1 \2", cell)
    for sign, written in sorted(SPECIAL.items(), key=lambda pair: -len(pair[1])):
        if written != " ":
            cell = cell.replace(written, sign)
    return cell.replace("\N{MINUS SIGN}", "-")


def tables(latex: str) -> list[list[list[str]]]:
    """The cells of every booktabs table, header first."""
    found = re.findall(r"\\toprule\n(.*?)\n\\bottomrule", latex, re.DOTALL)
    return [
        [
            [read(cell) for cell in re.split(r"(?<!\\) & ", line.removesuffix(r" \\"))]
            for line in text.splitlines()
            if line != r"\midrule"
        ]
        for text in found
    ]


def test_signs_that_mean_something_to_latex_are_escaped():
    assert escaped("a_b & 5 % ± 1") == r"a\_b \& 5 \% \ensuremath{\pm} 1"
    assert escaped(r"$\frac{1}{2}$ #^~") == (
        r"\$\textbackslash{}frac\{1\}\{2\}\$ \#\textasciicircum{}\textasciitilde{}"
    )


def test_the_latex_summary_holds_every_number_of_the_markdown_one(two_models, make_run, tiny_trace):
    failed = make_run(tiny_trace, label="RC_GRU", seed=2, status="failed", reason="loss > 1e3")
    groups = arranged(group_runs(two_models), FigureOptions(labels={"RC-SNN": NAME}))
    header, rows = summary_rows(groups)
    latex = summary_latex(groups, [failed])
    *parts, difference = tables(latex)
    assert [name for part in parts for name in part[0] if name != "model"] != header[1:]  # in another order
    for part in parts:
        assert [row[0] for row in part] == ["model", "RC-LSTM", NAME]
        for column, name in enumerate(part[0]):
            assert [row[column] for row in part[1:]] == [row[header.index(name)] for row in rows]
    assert {name for part in parts for name in part[0]} == set(header)
    (expected,) = differences(groups)
    assert difference == [expected[0], *expected[1]]
    assert escaped(notes(groups)) in latex
    assert r"RC\_GRU, seed 2: failed: loss \textgreater{} 1e3" in latex


def test_a_minus_sign_of_a_number_is_no_hyphen(make_run, tiny_trace):
    runs = [
        make_run(tiny_trace, label=label, seed=seed, threshold=threshold)
        for label, threshold in (("A-1", 1.0), ("B", 0.95))
        for seed in (0, 1)
    ]
    latex = summary_latex(group_runs(runs))
    assert r"B & \ensuremath{-}25.00 \ensuremath{\pm} 0.00 & \ensuremath{-}1.00" in latex
    assert "A-1 &" in latex


def test_pgf_is_written_without_latex(one_seed, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    options = FigureOptions(formats=["pgf"], labels={"RC-SNN": NAME}, width="3.4in", columns=1)
    write_figures(one_seed, tmp_path, options=options)
    for path in tmp_path.glob("*.pgf"):
        pgf = path.read_text()
        assert f"\\input{{{path.name}}}" in pgf
        assert r"\pgfpathrectangle{\pgfpointorigin}{\pgfqpoint{3.400000in}" in pgf
        assert pgf.count(r"\begin{pgfscope}") == pgf.count(r"\end{pgfscope}") > 10
        plain = re.sub(r"\\[{}]", "", re.sub(r"\\catcode`.*?\\fi}|\\catcode`\\%=.*?{\\%}", "", pgf))
        assert plain.count("{") == plain.count("}")
        assert "Path=" not in pgf, "nothing of this machine"
    legend = (tmp_path / "training-history.pgf").read_text()
    assert escaped(NAME.split()[0]) in legend
    assert r"A\_b \& C\#1" in legend


def picture() -> Figure:
    figure = style.new_figure(3, 2, "an image, and $5")
    axes = figure.subplots()
    axes.imshow(np.arange(12).reshape(3, 4))
    axes.set_title("$x_1$ of a_b")
    return figure


def test_images_lie_beside_a_pgf_and_formulas_stay_formulas():
    with style.applied():
        files = pgf_files(picture(), "cells")
        again = pgf_files(picture(), "cells")
    assert files == again
    assert list(files) == ["cells.pgf", "cells-img0.png"]
    assert files["cells-img0.png"].startswith(b"\x89PNG")
    pgf = files["cells.pgf"].decode()
    assert r"\pgfimage[interpolate=true" in pgf
    assert "{cells-img0.png}" in pgf
    assert r"$x_1$ of a\_b" in pgf
    assert r"an image, and \$5" in pgf


PAPER = r"""\documentclass[twocolumn]{article}
\usepackage[margin=0.75in]{geometry}
\usepackage{pgf,array,booktabs}
\begin{document}
\begin{table*}\input{summary}\end{table*}
\begin{figure}\input{accuracy-vs-decision-step.pgf}\end{figure}
\begin{figure}\input{cells.pgf}\end{figure}
\end{document}
"""


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_takes_what_is_written(two_models, tmp_path):
    options = FigureOptions(formats=["pgf"], labels={"RC-SNN": NAME}, width="3.2in")
    write_figures(two_models, tmp_path, only=["accuracy-vs-decision-step"], options=options)
    with style.applied():
        for name, content in pgf_files(picture(), "cells").items():
            (tmp_path / name).write_bytes(content)
    (tmp_path / "paper.tex").write_text(PAPER)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
