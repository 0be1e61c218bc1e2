"""Commands that show or keep stored runs. Each imports what it needs when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rc_vs_snn.cli.options import DRAWING, EXECUTION, Drawing, Executed, Names, draw, read_runs
from rc_vs_snn.errors import InputError

if TYPE_CHECKING:
    from rc_vs_snn.records import Record


def figures(
    runs: list[Path],
    /,
    *,
    out: Path | None = None,
    only: Names = (),
    label: Names = (),
    order: str | None = None,
    drawing: Drawing = DRAWING,
) -> None:
    """Draw figures and table of stored runs.

    Figures are PNG, SVG and PDF, with their numbers as CSV; the table is Markdown, LaTeX and CSV.

    Args:
        runs: run folders, or folders of run folders, of any comparisons.
        out: where to write (default: figures/ in the first folder).
        only: a figure by name; repeatable.
        label: OLD=NEW: another label for a model; repeatable.
        order: labels that come first, such as A,B.
        drawing: how figures look.
    """
    drawing.options()  # its faults are told before anything is read
    found = read_runs(runs)
    options = drawing.options(*_labels(found, label, order))
    draw(found, out or runs[0] / "figures", only, options)


def _labels(found: "list[Record]", label: Names, order: str | None) -> tuple[dict[str, str], list[str]]:
    """Return new labels and the order of labels as typed, told apart by the labels there are."""
    if not label and order is None:
        return {}, []
    from rc_vs_snn.analysis.figure_options import label_order, label_pairs
    from rc_vs_snn.analysis.groups import group_runs

    known = [group.label for group in group_runs(found)]
    pairs = label_pairs(label, known)
    return pairs, [] if order is None else label_order(order, [*pairs.values(), *known])


def report(runs: list[Path], /, *, out: Path = Path("report.html")) -> None:
    """Write stored runs as one HTML page that works offline.

    Plot, tables, confusion and samples at any threshold, provenance. Needs the extra `report`.

    Args:
        runs: run folders, or folders of run folders.
        out: the file to write.
    """
    from rc_vs_snn.analysis.html import write_html

    print(write_html(read_runs(runs), out))


def tidy(runs: list[Path], /, *, out: Path = Path("tidy"), form: Literal["csv", "parquet"] = "csv") -> None:
    """Write all that stored runs hold as tidy tables: runs, threshold sweeps, and decisions by sample.

    Args:
        runs: run folders, or folders of run folders.
        out: folder of the three files.
        form: of the files.
    """
    from rc_vs_snn.analysis.statistics import tidy

    for path in tidy(read_runs(runs)).write(out, form):
        print(path)


def export(
    runs: list[Path],
    /,
    *,
    out: Path,
    form: Annotated[Literal["weights", "nir", "onnx", "fixed"], Parameter(name="--format")] = "weights",
    samples: int = 1000,
    check: Names = (),
    leaky: Literal["LIF", "CubaLIF"] = "LIF",
    bits: int = 8,
    membrane_bits: int = 16,
    decay_bits: int = 12,
    rounding: Literal["nearest", "zero"] = "nearest",
    execution: Executed = EXECUTION,
) -> None:
    """Keep each model's best seed, by validation accuracy: with a model card, or in a form for others.

    Writes weights (safetensors) and a card for `compare --pretrained`. Forms for others, and what they can
    tell, are in docs/take_a_net_elsewhere.md.

    Args:
        runs: run folders, or folders of run folders.
        out: folder of what is written.
        form: weights with a card; nir: a graph of a spiking network for other simulators; onnx: one step of
            any net, for onnxruntime; fixed: whole numbers for hardware.
        samples: on which what is written is checked: of test (nir) or valid (onnx).
        check: of nir, a simulator that decides with it, too: norse, snntorch, spikingjelly; repeatable.
        leaky: of nir, what a neuron without a synaptic current becomes; of the second norse reads all.
        bits: of fixed, of weights.
        membrane_bits: of fixed, of membranes and synaptic currents, which clip.
        decay_bits: of fixed, of a decay's fraction.
        rounding: of fixed, of decays and shifts: nearest, halves away from zero, or towards zero.
        execution: how runs are executed.
    """
    of = {
        "--samples": (("nir", "onnx"), samples != 1000), "--check": (("nir",), bool(check)),
        "--leaky": (("nir",), leaky != "LIF"), "--bits": (("fixed",), bits != 8),
        "--membrane-bits": (("fixed",), membrane_bits != 16), "--decay-bits": (("fixed",), decay_bits != 12),
        "--rounding": (("fixed",), rounding != "nearest"),
    }  # fmt: skip
    for option, (forms, is_given) in of.items():
        if is_given and form not in forms:
            raise InputError(f"{option} is not of --format {form}, but of {' or '.join(forms)}")
    if form == "fixed":
        from rc_vs_snn.experiment.fixed_point import export_fixed, widths

        given = widths(bits, membrane_bits, decay_bits, rounding)
        for net in export_fixed(read_runs(runs), out, given, execution):
            print(f"{net.folder}: {net.told}")
        return
    found = read_runs(runs)
    if form == "nir":
        from rc_vs_snn.cli.exchange import told
        from rc_vs_snn.experiment.nir_files import export_nir

        for graph in export_nir(found, out, execution, check=check, n_samples=samples, leaky=leaky):
            print("\n".join(told(graph)))
        return
    if form == "onnx":
        from rc_vs_snn.experiment.onnx_files import export_onnx

        for step in export_onnx(found, out, execution, checked=samples):
            print(f"{step.path}: {step.agreement}")
        return
    from rc_vs_snn.experiment.pretrained import export

    for folder in export(found, out, execution):
        print(folder)
