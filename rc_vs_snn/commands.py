"""What the command line's commands do with their options. Each imports what it needs when it runs."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rc_vs_snn import registry
from rc_vs_snn.config import Part
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.comparison import Comparison, load_file, load_preset
from rc_vs_snn.experiment.comparison_files import preset_names, preset_summary

if TYPE_CHECKING:
    from rc_vs_snn.experiment import Execution

KINDS = {
    "datasets": registry.datasets,
    "augmentations": registry.augmentations,
    "encoders": registry.encoders,
    "models": registry.models,
    "rules": registry.rules,
    "objectives": registry.objectives,
    "figures": registry.figures,
}


def _comparison(options: argparse.Namespace) -> Comparison:
    if options.config is not None:
        comparison = load_file(options.config, options.set)
    else:
        comparison = load_preset(options.preset, options.set)
    return comparison if options.seed is None else comparison.with_seeds(options.seed)


def _execution(options: argparse.Namespace) -> "Execution":
    from rc_vs_snn.experiment import Execution

    return Execution(options.device, options.threads, options.data_root)


def compare(options: argparse.Namespace) -> None:
    """Train and judge a comparison, or judge kept models, and draw."""
    from dataclasses import replace

    from rc_vs_snn.experiment.execute import compare
    from rc_vs_snn.experiment.progress import TerminalProgress

    if options.pretrained is not None:
        _compare_pretrained(options)
        return
    comparison = _comparison(options)
    if options.seeds is not None:
        if options.seed is not None:
            raise InputError("give either --seed or --seeds")
        comparison = comparison.with_seeds(*options.seeds)
    if options.match_parameters:
        comparison = replace(comparison, match_parameters=True)
    out = options.out or Path("runs") / comparison.name
    found = compare(
        comparison, out, _execution(options), jobs=options.jobs, overwrite=options.overwrite,
        progress=TerminalProgress(),
    )  # fmt: skip
    _draw(found, out / "figures", ())


def _compare_pretrained(options: argparse.Namespace) -> None:
    from rc_vs_snn.experiment.pretrained import default_folder, find_pretrained, judge_pretrained

    if options.set or options.config or options.seeds or options.seed is not None:
        raise InputError("--pretrained trains nothing: leave out --set, --config, --seed and --seeds")
    root = default_folder() if options.pretrained == Path() else options.pretrained
    out = options.out or Path("runs") / "pretrained"
    found = judge_pretrained(find_pretrained(root), out, _execution(options), jobs=options.jobs)
    _draw(found, out / "figures", ())


def reproduce(options: argparse.Namespace) -> None:
    """Run a plan, draw every part and write the report."""
    from rc_vs_snn.analysis.report import write_report
    from rc_vs_snn.experiment.plan import load_reproduction, reproduce
    from rc_vs_snn.experiment.progress import TerminalProgress

    plan = load_reproduction(options.plan, options.only, options.set)
    out = options.out or Path("runs") / f"reproduce-{options.plan}"
    found = reproduce(
        plan.parts, out, _execution(options), jobs=options.jobs, overwrite=options.overwrite,
        progress=TerminalProgress(),
    )  # fmt: skip
    for name, records in found.items():
        _draw(records, out / name / "figures", ())
    titled = {part.title: found[part.comparison.name] for part in plan.parts}
    print(write_report(titled, out, plan.published))


def export(options: argparse.Namespace) -> None:
    """Keep each model's best seed and print where."""
    from rc_vs_snn.experiment.pretrained import export
    from rc_vs_snn.records import find_records

    found = [record for folder in options.runs for record in find_records(folder)]
    for folder in export(found, options.out, _execution(options)):
        print(folder)


def train(options: argparse.Namespace) -> None:
    """Train one model and print its run folder."""
    from rc_vs_snn.experiment import run
    from rc_vs_snn.experiment.parts import check_run
    from rc_vs_snn.experiment.progress import TerminalProgress

    planned = _comparison(options).planned()
    labels = [config.label for config in planned]
    if options.model is not None and options.model not in labels:
        raise InputError(f"no model '{options.model}'; {did_you_mean(options.model, labels)}")
    config = planned[labels.index(options.model) if options.model is not None else 0]
    folder = options.out or Path("runs") / config.folder_name
    execution, progress = _execution(options), TerminalProgress()
    check_run(config, execution)
    with progress.session([config], [config]), progress.watching(config) as watch:
        record = run(config, folder, execution, report=watch.batch, on_epoch=watch.epoch)
    progress.finished(record)
    print(record.folder)


def evaluate(options: argparse.Namespace) -> None:
    """Judge a run again and print its metrics."""
    import json

    from rc_vs_snn.experiment import evaluate
    from rc_vs_snn.records import read_record

    rule = None if options.threshold is None else Part("first-spike", {"threshold": options.threshold})
    metrics = evaluate(
        read_record(options.run), _execution(options),
        split=options.split, rule=rule, mean_step=options.mean_step,
    )  # fmt: skip
    print(json.dumps(metrics, indent=2))


def figures(options: argparse.Namespace) -> None:
    """Draw the figures of stored runs."""
    from rc_vs_snn.records import find_records

    found = [record for folder in options.runs for record in find_records(folder)]
    _draw(found, options.out or options.runs[0] / "figures", options.only)


def _draw(found: Sequence, out: Path, only: Sequence[str]) -> None:
    from rc_vs_snn.analysis import write_figures

    written = write_figures(found, out, only=only)
    summary = next((path for path in written if path.name == "summary.md"), None)
    if summary is not None:
        print(summary.read_text())
    for path in written:
        if path.suffix == ".png" or path.name in ("summary.md", "summary.csv"):
            print(path)


def list_registered(options: argparse.Namespace) -> None:
    """Print what is registered, or the options of one."""
    kinds = [*KINDS, "presets"]
    if options.kind is not None and options.kind not in kinds:
        raise InputError(f"unknown kind '{options.kind}'; {did_you_mean(options.kind, kinds)}")
    if options.name is not None and options.kind != "presets":
        _list_options(KINDS[options.kind], options.name)
        return
    for kind in [options.kind] if options.kind else kinds:
        if options.kind is None:
            print(f"{kind}:")
        for name, summary in _entries(kind):
            print(f"  {name:<28} {summary}")


def _entries(kind: str) -> list[tuple[str, str]]:
    if kind == "presets":
        return [(name, preset_summary(name)) for name in preset_names()]
    known = KINDS[kind]
    entries = [(name, known.summary(name)) for name in known.names()]
    return entries + [(name, f"(failed to load: {why})") for name, why in known.broken().items()]


def _list_options(known: registry.Registry, name: str) -> None:
    import inspect

    print(inspect.getdoc(known.get(name)) or "")
    print("\noptions:")
    for parameter in known.options(name).values():
        print(f"  {parameter}")
