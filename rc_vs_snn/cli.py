"""The command line: parse, call, print. Errors a user can mend are one line and exit code 2."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rc_vs_snn import commands
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.interrupts import interrupts_outside_numba


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 fine, 2 bad input, 130 interrupted)."""
    try:
        options = _parser().parse_args(arguments)
        with interrupts_outside_numba():
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
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_compare(subparsers)
    _add_reproduce(subparsers)
    _add_train(subparsers)
    _add_evaluate(subparsers)
    _add_figures(subparsers)
    _add_export(subparsers)
    _add_list(subparsers)
    return parser


def _version() -> str:
    from rc_vs_snn.records.provenance import package_version

    return f"rc_vs_snn {package_version('rc_vs_snn')}"


def _add_compare(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "compare",
        help="train every model of a comparison, judge them alike, draw the figures",
        description="Train and judge every model of a preset or TOML file and write figures and table. "
        "Finished runs are not repeated: the same command resumes an interrupted comparison.",
    )
    _add_configuration(parser)
    parser.add_argument("--seeds", type=_seeds, metavar="N,N", help="several base seeds, such as 0,1,2")
    parser.add_argument(
        "--match-parameters", action="store_true", help="size later models to the first one's"
    )
    _add_several_runs(parser)
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
    parser.set_defaults(command=commands.compare)


def _add_reproduce(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
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
    _add_several_runs(parser)
    parser.add_argument("--out", type=Path, help="folder of the parts (default runs/reproduce-<plan>)")
    _add_execution(parser)
    parser.set_defaults(command=commands.reproduce)


def _add_export(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "export",
        help="keep each model's best seed, by validation accuracy, with a model card",
        description="Write weights (safetensors) and a model card of each model's best-by-validation seed, "
        "for `compare --pretrained`.",
    )
    parser.add_argument("runs", type=Path, nargs="+", help="run folders, or folders of run folders")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model folders")
    _add_execution(parser)
    parser.set_defaults(command=commands.export)


def _add_train(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "train",
        help="train and judge one model of a preset or file",
        description="Train and judge one model into a new run folder.",
    )
    _add_configuration(parser)
    parser.add_argument("--model", metavar="LABEL", help="which model of the preset (default: the first)")
    parser.add_argument("--out", type=Path, help="the run folder to make (default runs/<label>-seed<seed>)")
    _add_execution(parser)
    parser.set_defaults(command=commands.train)


def _add_evaluate(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "evaluate",
        help="judge a finished run again from its weights",
        description="Load a run's weights and print its metrics on a split as JSON.",
    )
    parser.add_argument("run", type=Path, help="a run folder")
    parser.add_argument("--split", choices=("train", "valid", "test"), default="test", help="default test")
    parser.add_argument("--threshold", type=float, help="judge with another constant threshold")
    parser.add_argument(
        "--mean-step", type=float, metavar="S",
        help="shift the thresholds so that the mean decision step on valid is at most S",
    )  # fmt: skip
    _add_execution(parser)
    parser.set_defaults(command=commands.evaluate)


def _add_figures(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "figures",
        help="draw figures and table of stored runs",
        description="Draw figures (PNG, SVG, PDF, with their numbers as CSV) and the summary table.",
    )
    parser.add_argument("runs", type=Path, nargs="+", help="run folders, or folders of run folders")
    parser.add_argument("--out", type=Path, help="where to write (default: figures/ in the first folder)")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="a figure by name; repeatable"
    )
    parser.set_defaults(command=commands.figures)


def _add_list(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "list",
        help="list datasets, augmentations, encoders, models, rules, objectives, figures or presets",
        description="List everything registered, plug-ins included; with a name, its options.",
    )
    parser.add_argument("kind", nargs="?", help=", ".join([*commands.KINDS, "presets"]) + " (default: all)")
    parser.add_argument("name", nargs="?", help="one of them: show its options")
    parser.set_defaults(command=commands.list_registered)


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


def _add_several_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=1, help="runs trained side by side (default 1)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace run folders of another configuration"
    )


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


if __name__ == "__main__":
    sys.exit(main())
