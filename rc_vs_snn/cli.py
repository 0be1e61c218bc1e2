"""The command line: parse, call, print. Errors a user can mend are one line and exit code 2."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rc_vs_snn import registry
from rc_vs_snn.comparison import Comparison, load_file, load_preset, preset_names, preset_summary
from rc_vs_snn.config import Part
from rc_vs_snn.errors import InputError, did_you_mean

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 fine, 2 bad input, 130 interrupted)."""
    try:
        options = _parser().parse_args(arguments)
        options.command(options)
    except InputError as error:
        print(f"rc-vs-snn: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "rc-vs-snn: interrupted; finished runs are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        sys.stderr.close()
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rc-vs-snn",
        description="Which decides sooner and better on temporal input: a rank-coded LSTM or a rank-coded "
        "spiking network?",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_compare(commands)
    _add_reproduce(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_figures(commands)
    _add_export(commands)
    _add_list(commands)
    return parser


def _version() -> str:
    from rc_vs_snn.provenance import package_version

    return f"rc_vs_snn {package_version('rc_vs_snn')}"


def _add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "compare",
        help="train every model of a comparison, judge them alike, draw the figures",
        description="Train and judge every model of a preset or TOML file and write figures and table. "
        "Finished runs are not repeated: the same command resumes an interrupted comparison.",
    )
    _add_configuration(parser)
    parser.add_argument("--seeds", type=_seeds, metavar="N,N", help="several base seeds, such as 0,1,2")
    parser.add_argument("--jobs", type=int, default=1, help="runs trained side by side (default 1)")
    parser.add_argument(
        "--match-parameters", action="store_true", help="size later models to the first one's"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace run folders of another configuration"
    )
    parser.add_argument(
        "--pretrained",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FOLDER",
        help="train nothing: judge the trained models of FOLDER (default: the checkout's models/)",
    )
    parser.add_argument("--out", type=Path, help="folder of the run folders (default runs/<preset>)")
    _add_execution(parser)
    parser.set_defaults(command=_compare)


def _add_reproduce(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "reproduce",
        help="run a whole plan of comparisons over several seeds and report",
        description="Run every part of a plan, each model over its seeds, and write figures, tables and a "
        "report beside published numbers. Finished runs are not repeated: the same command resumes.",
    )
    parser.add_argument("plan", help="name of the plan, such as mnist")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PART", help="a part by its preset; repeatable"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of every part"
    )
    parser.add_argument("--jobs", type=int, default=1, help="runs trained side by side (default 1)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace run folders of another configuration"
    )
    parser.add_argument("--out", type=Path, help="folder of the parts (default runs/reproduce-<plan>)")
    _add_execution(parser)
    parser.set_defaults(command=_reproduce)


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "export",
        help="keep each model's best seed, by validation accuracy, with a model card",
        description="Write weights (safetensors) and a model card of each model's best-by-validation seed, "
        "for `compare --pretrained`.",
    )
    parser.add_argument("runs", type=Path, nargs="+", help="run folders, or folders of run folders")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model folders")
    _add_execution(parser)
    parser.set_defaults(command=_export)


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "train",
        help="train and judge one model of a preset or file",
        description="Train and judge one model into a new run folder.",
    )
    _add_configuration(parser)
    parser.add_argument("--model", metavar="LABEL", help="which model of the preset (default: the first)")
    parser.add_argument("--out", type=Path, help="the run folder to make (default runs/<label>-seed<seed>)")
    _add_execution(parser)
    parser.set_defaults(command=_train)


def _add_evaluate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "evaluate",
        help="judge a finished run again from its weights",
        description="Load a run's weights and print its metrics on a split as JSON.",
    )
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--split", choices=("train", "valid", "test"), default="test", help="default test")
    parser.add_argument("--threshold", type=float, help="judge with another constant threshold")
    _add_execution(parser)
    parser.set_defaults(command=_evaluate)


def _add_figures(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "figures",
        help="draw figures and table of stored runs",
        description="Draw figures (PNG, SVG, PDF, with their numbers as CSV) and the summary table.",
    )
    parser.add_argument("runs", type=Path, nargs="+", help="run folders, or folders of run folders")
    parser.add_argument("--out", type=Path, help="where to write (default: figures/ in the first folder)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a figure by name; repeatable"
    )
    parser.set_defaults(command=_figures)


def _add_list(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser(
        "list",
        help="list datasets, augmentations, encoders, models, rules, objectives, figures or presets",
        description="List everything registered, plug-ins included; with a name, its options.",
    )
    parser.add_argument("kind", nargs="?", help=", ".join([*KINDS, "presets"]) + " (default: all)")
    parser.add_argument("name", nargs="?", help="one of them: show its options")
    parser.set_defaults(command=_list)


def _add_configuration(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--preset", default="digits", help="built-in comparison (default digits)")
    source.add_argument("--config", type=Path, metavar="FILE", help="a TOML file like the presets")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a setting for every model (training.epochs=3, encoder.name=rate) or one "
        "(models.rc-lstm.model.hidden=64); repeatable",
    )
    parser.add_argument("--seed", type=int, help="base seed of every generator (default: the preset's)")


def _add_execution(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument(
        "--threads", type=int, default=1, help="torch threads per run (default 1: repeatable)"
    )
    parser.add_argument("--data-root", type=Path, help="where the corpora lie (default: $RC_VS_SNN_DATA)")


def _seeds(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"seeds must be whole numbers such as 0,1,2, got '{text}'") from None


def _comparison(options: argparse.Namespace) -> Comparison:
    if options.config is not None:
        comparison = load_file(options.config, options.set)
    else:
        comparison = load_preset(options.preset, options.set)
    return comparison if options.seed is None else comparison.with_seeds(options.seed)


def _execution(options: argparse.Namespace) -> "Execution":
    from rc_vs_snn.experiment import Execution

    return Execution(options.device, options.threads, options.data_root)


def _compare(options: argparse.Namespace) -> None:
    from dataclasses import replace

    from rc_vs_snn.progress import TerminalProgress
    from rc_vs_snn.sweep import compare

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
    from rc_vs_snn.pretrained import default_folder, find_pretrained, judge_pretrained

    if options.set or options.config or options.seeds or options.seed is not None:
        raise InputError("--pretrained trains nothing: leave out --set, --config, --seed and --seeds")
    root = default_folder() if options.pretrained == Path() else options.pretrained
    out = options.out or Path("runs") / "pretrained"
    found = judge_pretrained(find_pretrained(root), out, _execution(options), jobs=options.jobs)
    _draw(found, out / "figures", ())


def _reproduce(options: argparse.Namespace) -> None:
    from rc_vs_snn.analysis.report import write_report
    from rc_vs_snn.progress import TerminalProgress
    from rc_vs_snn.reproduction import load_reproduction, reproduce

    parts = load_reproduction(options.plan, options.only, options.set)
    out = options.out or Path("runs") / f"reproduce-{options.plan}"
    found = reproduce(
        parts, out, _execution(options), jobs=options.jobs, overwrite=options.overwrite,
        progress=TerminalProgress(),
    )  # fmt: skip
    for name, records in found.items():
        _draw(records, out / name / "figures", ())
    titled = {part.title: found[part.comparison.name] for part in parts}
    print(write_report(titled, out))


def _export(options: argparse.Namespace) -> None:
    from rc_vs_snn.pretrained import export
    from rc_vs_snn.records import find_records

    found = [record for folder in options.runs for record in find_records(folder)]
    for folder in export(found, options.out, _execution(options)):
        print(folder)


def _train(options: argparse.Namespace) -> None:
    from rc_vs_snn.experiment import check_run, run
    from rc_vs_snn.progress import TerminalProgress

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


def _evaluate(options: argparse.Namespace) -> None:
    import json

    from rc_vs_snn.experiment import evaluate
    from rc_vs_snn.records import read_record

    rule = None if options.threshold is None else Part("first-spike", {"threshold": options.threshold})
    metrics = evaluate(read_record(options.run), _execution(options), split=options.split, rule=rule)
    print(json.dumps(metrics, indent=2))


def _figures(options: argparse.Namespace) -> None:
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


def _list(options: argparse.Namespace) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
