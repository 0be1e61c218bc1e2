"""Reading a matplotlib style sheet strictly: what matplotlib would pass over in silence is an error."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager

from rc_vs_snn.errors import InputError

FONT_KINDS = ("serif", "sans-serif", "monospace", "cursive", "fantasy")
# What is no matter of style: where figures are shown, and what matplotlib itself keeps out of style sheets.
NO_STYLE = frozenset({"backend", "interactive", "toolbar", "date.epoch", "savefig.directory"})


def read_style_sheet(path: Path) -> dict[str, Any]:
    """Return the settings of a style sheet by name.

    Raises:
        InputError: the file cannot be read, a line of it is no setting, a value is not allowed, it asks for
            LaTeX, or none of the fonts it names is installed.
    """
    problems: list[str] = []
    try:
        with _told(problems):
            settings = mpl.rc_params_from_file(str(path), fail_on_error=True, use_default_template=False)
    except FileNotFoundError:
        raise InputError(f"there is no style sheet {path}; give a .mplstyle file") from None
    except OSError as error:
        raise InputError(f"cannot read the style sheet {path}: {error.strerror or error}") from error
    except Exception as error:  # each validator raises its own; of a binary file, the codec
        raise _faulty(path, str(error)) from error
    if problems:
        raise _faulty(path, problems[0])
    if settings.get("text.usetex"):
        raise InputError(
            f"style sheet {path}: text.usetex is not supported, since labels are no LaTeX; leave it out, and "
            "for text that LaTeX sets write the format pgf"
        )
    found: dict[str, Any] = {str(name): value for name, value in settings.items() if name not in NO_STYLE}
    _check_fonts(path, found)
    return found


def _faulty(path: Path, why: str) -> InputError:
    told = " ".join(why.partition("You probably need")[0].split())  # an older or newer matplotlib's file
    return InputError(f"style sheet {path}: {told}; mend the line or leave it out")


def _check_fonts(path: Path, settings: dict[str, Any]) -> None:
    """Refuse fonts that are not there: matplotlib would draw with another."""
    families = settings.get("font.family", ["sans-serif"])
    lists = {name: settings[f"font.{name}"] for name in FONT_KINDS if f"font.{name}" in settings}
    if "font.family" not in settings and "sans-serif" not in lists:
        return
    installed = {font.name for font in font_manager.fontManager.ttflist}
    names = [name for family in families for name in lists.get(family, [family])]
    if not any(name in installed or name in FONT_KINDS for name in names):
        raise _faulty(path, f"none of its fonts is installed ({', '.join(names)})")


class _Kept(logging.Handler):
    def __init__(self, problems: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.problems = problems

    def emit(self, record: logging.LogRecord) -> None:
        self.problems.append(record.getMessage().strip())


@contextmanager
def _told(problems: list[str]) -> Iterator[None]:
    """Collect what matplotlib says of a file: it only logs the lines that it does not take."""
    logger, handler = logging.getLogger("matplotlib"), _Kept(problems)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated
