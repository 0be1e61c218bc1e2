"""The one error a user is meant to read: what was wrong, what is allowed, what to do."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave is unusable. The command line prints it as one line and exits with 2."""


class DamagedError(InputError):
    """A file is not what was written."""


class DivergedError(InputError):
    """What a model computes is no longer finite."""


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
