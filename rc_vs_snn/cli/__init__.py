"""The command line: parse, call, print. Errors a user can mend are one line and exit code 2."""

import sys
from collections.abc import Callable, Sequence

from cyclopts import App, CycloptsError, Parameter

from rc_vs_snn.cli.listing import list_registered
from rc_vs_snn.cli.making import compare, reproduce, train
from rc_vs_snn.cli.output import drop_output, lost_output, one_line, readable_output
from rc_vs_snn.cli.stored import evaluate, export, figures
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.interrupts import interrupts_outside_numba

COMMANDS: dict[str, Callable[..., None]] = {
    "compare": compare,
    "reproduce": reproduce,
    "train": train,
    "evaluate": evaluate,
    "figures": figures,
    "export": export,
    "list": list_registered,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (0 fine, 2 bad input, 130 interrupted).

    Raises:
        SystemExit: 0 after ``--help`` or ``--version``; 2 if there is no such command or option, one is
            missing, or its value is of a wrong type.
    """
    tokens = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with readable_output(), interrupts_outside_numba():
            _run(tokens)
    except InputError as error:
        print(f"rc-vs-snn: error: {one_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "rc-vs-snn: interrupted; finished runs are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:  # the reader of our output (head, less) has gone
        drop_output()
        return 0
    except OSError as error:  # a full disk behind the output, a path that no system takes
        print(f"rc-vs-snn: error: {one_line(lost_output(error))}", file=sys.stderr)
        drop_output()
        return 2
    return 0


def _run(tokens: Sequence[str]) -> None:
    if not tokens:
        raise InputError(f"no command; give one of {', '.join(COMMANDS)}, or --help")
    try:
        command, bound, _ = _app().parse_args(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"rc-vs-snn: error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from error
    command(*bound.args, **bound.kwargs)
    if command not in COMMANDS.values():  # the parser's own: help or version
        raise SystemExit(0)


def _app() -> App:
    app = App(
        name="rc-vs-snn",
        help="Which decides sooner and better on temporal input: a rank-coded LSTM or a rank-coded spiking "
        "network?",
        help_prologue="usage: rc-vs-snn COMMAND [OPTIONS]",
        help_format="plaintext",
        usage="",
        version=_version,
        default_parameter=Parameter(negative=()),
    )
    for name, command in COMMANDS.items():
        app.command(
            command, name=name, help_prologue=f"usage: rc-vs-snn {name} [ARGUMENTS] [OPTIONS]", usage=""
        )
    return app


def _version() -> str:
    from rc_vs_snn.records.provenance import package_version

    return f"rc_vs_snn {package_version('rc_vs_snn')}"
