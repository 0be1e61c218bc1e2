"""The one error a user is meant to read: what was wrong, what is allowed, what to do."""

import contextlib
import difflib
from collections.abc import Iterable, Iterator


class InputError(ValueError):
    """Something the user gave is unusable. The command line prints it as one line and exits with 2."""


class DamagedError(InputError):
    """A file is not what was written."""


class MissingError(DamagedError):
    """A file that a run was left without, or never had.

    Attributes:
        file: its name.
    """

    def __init__(self, told: str, file: str = "") -> None:
        super().__init__(told)
        self.file = file


class DivergedError(InputError):
    """What a model computes is no longer finite."""


def one_line(error: BaseException) -> str:
    """Return what an error says, its kind in front, on one line of at most 300 characters."""
    told = " ".join(str(error).split())
    return f"{type(error).__name__}: {told}"[:300] if told else type(error).__name__


@contextlib.contextmanager
def blamed(part: str) -> Iterator[None]:
    """Name a part whose code raises, in one line; a program is not left because a part calls ``sys.exit``.

    Args:
        part: what runs, such as "encoder 'mine'".

    Raises:
        InputError: its own are passed on; all else has become one, with the cause behind it.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        raise InputError(f"{part} raised {one_line(error)}") from error


def did_you_mean(got: str, allowed: Iterable[str]) -> str:
    """Return a sentence naming the nearest allowed name (if any is near) and all allowed names.

    Args:
        got: the unknown name.
        allowed: every valid name.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(got, names, n=1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return f"{hint}allowed: {', '.join(names) or '(none)'}"
