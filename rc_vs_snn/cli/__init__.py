"""The command line: parse, call, print. Errors a user can mend are one line and exit code 2."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from cyclopts import App, CycloptsError, Parameter

from rc_vs_snn.cli.bookkeeping import rerun, status
from rc_vs_snn.cli.elsewhere import judge
from rc_vs_snn.cli.judging import calibrate, evaluate, exits
from rc_vs_snn.cli.listing import list_registered
from rc_vs_snn.cli.making import compare, reproduce, train
from rc_vs_snn.cli.output import drop_output, lost_output, one_line, readable_output
from rc_vs_snn.cli.showing import animation, decision, encoders, samples
from rc_vs_snn.cli.stored import export, figures, report, tidy
from rc_vs_snn.cli.tuning import tune
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.interrupts import interrupts_outside_numba, signal_behind, stopped_by_signals

COMMANDS: dict[str, Callable[..., int | None]] = {
    "compare": compare,
    "reproduce": reproduce,
    "train": train,
    "tune": tune,
    "judge": judge,
    "evaluate": evaluate,
    "calibrate": calibrate,
    "exits": exits,
    "status": status,
    "rerun": rerun,
    "figures": figures,
    "report": report,
    "tidy": tidy,
    "export": export,
    "list": list_registered,
}
SHOW: dict[str, Callable[..., int | None]] = {
    "samples": samples,
    "decision": decision,
    "encoders": encoders,
    "animation": animation,
}
"""What `show` can draw of single samples."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: fine. 1: a run failed, each named on a line; the others are finished. 2: bad input, or a folder that
    another command uses. 128 + n: ended by signal n (Ctrl-C: 130, SIGTERM: 143, SIGHUP: 129). What 1 and more
    mean after ``status`` and ``rerun`` their own help says.

    Raises:
        SystemExit: 0 after ``--help`` or ``--version``; 2 if there is no such command or option, one is
            missing, or its value is of a wrong type.
    """
    tokens = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with readable_output(), stopped_by_signals(), interrupts_outside_numba():
            return _run(tokens)
    except InputError as error:
        print(f"rc-vs-snn: error: {one_line(str(error))}", file=sys.stderr)
        return 2
    except (KeyboardInterrupt, OSError) as error:
        number = signal_behind(error)
        if number is not None:
            return _interrupted(number, our_process=arguments is None)
        if isinstance(error, BrokenPipeError):  # the reader of our output (head, less) has gone
            drop_output()
            return 0
        if isinstance(error, OSError):  # a full disk behind the output, a path that no system takes
            print(f"rc-vs-snn: error: {one_line(lost_output(error))}", file=sys.stderr)
            drop_output()
            return 2
        raise


def _interrupted(number: signal.Signals, our_process: bool) -> int:
    """Say that a signal came, and return the exit code, or end our process with it."""
    with contextlib.suppress(OSError):  # the terminal has gone
        print(
            f"rc-vs-snn: interrupted ({number.name}); finished runs are kept, the same command goes on from "
            "there",
            file=sys.stderr,
            flush=True,
        )
        sys.stdout.flush()
    if our_process:
        os._exit(128 + number)  # to tear down an interpreter with torch in it takes seconds on a busy machine
    return 128 + number


def _run(tokens: Sequence[str]) -> int:
    if not tokens:
        raise InputError(f"no command; give one of {', '.join((*COMMANDS, 'show'))}, or --help")
    if list(tokens) == ["show"]:
        raise InputError(f"show what? give one of {', '.join(SHOW)}, or --help")
    try:
        command, bound, _ = _app().parse_args(tokens, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        print(f"rc-vs-snn: error: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from error
    try:
        code = command(*bound.args, **bound.kwargs)
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # how rich says that the reader has gone
            raise stop.__context__ from None
        raise InputError(
            f"a plug-in called sys.exit({stop.code!r}); it must return or raise instead"
        ) from stop
    if command not in (*COMMANDS.values(), *SHOW.values()):  # the parser's own: help or version
        raise SystemExit(0)
    return code or 0


def _app() -> App:
    app = _group(
        "rc-vs-snn",
        "Which decides sooner and better on temporal input: a rank-coded LSTM or a rank-coded spiking "
        "network?",
        COMMANDS,
        version=_version,
    )
    app.command(_group("show", "Draw single samples and how they were decided.", SHOW, "rc-vs-snn show"))
    return app


def _group(
    name: str,
    text: str,
    commands: Mapping[str, Callable[..., int | None]],
    path: str = "rc-vs-snn",
    version: Callable[[], str] | None = None,
) -> App:
    """Return a parser of some commands, which are called by ``path`` and their name."""
    app = App(
        name=name,
        help=text,
        help_prologue=f"usage: {path} COMMAND [OPTIONS]",
        help_format="plaintext",
        usage="",
        version=version,
        default_parameter=Parameter(negative=()),
    )
    for called, command in commands.items():
        app.command(
            command, name=called, help_prologue=f"usage: {path} {called} [ARGUMENTS] [OPTIONS]", usage=""
        )
    return app


def _version() -> str:
    from rc_vs_snn.records.provenance import package_version

    return f"rc_vs_snn {package_version('rc_vs_snn')}"
