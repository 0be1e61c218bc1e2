"""Plug-ins named by their path, ``module:attribute``, and where none can be."""

import functools
import importlib
import sys
from collections.abc import Callable
from importlib.metadata import entry_points, packages_distributions
from typing import Any

from rc_vs_snn.errors import InputError, one_line

OURS = __name__.partition(".")[0]
"""The package whose parts are built in."""


def distributions_of(top: str) -> list[str]:
    """Return the installed distributions that a top-level package is from, sorted; none of a script's own."""
    return sorted(set(_distributions().get(top, ())))


@functools.cache
def _distributions() -> dict[str, list[str]]:
    # Every installed package's files are read for it, so once.
    return dict(packages_distributions())


def at_path(path: str, kind: str) -> Callable[..., Any]:
    """Return the object at ``module:attribute``.

    Args:
        path: where it is.
        kind: what is looked for, as an error names it.

    Raises:
        InputError: it cannot be imported, or no plug-in can be there.
    """
    module_name, _, attribute = path.partition(":")
    _require_plugin_package(module_name.partition(".")[0], path, kind)
    try:
        return getattr(importlib.import_module(module_name), attribute)
    except (Exception, SystemExit) as error:  # a module may do anything when it is imported
        told = one_line(error)
        raise InputError(f"{kind} '{path}' cannot be imported: {told}") from error


def _require_plugin_package(top: str, path: str, kind: str) -> None:
    """Raise InputError if code lies in the standard library or in a package that registers no plug-in."""
    if top in sys.stdlib_module_names and top != "__main__":
        raise InputError(
            f"{kind} '{path}' is of the standard library, which holds no plug-ins; name your own code"
        )
    installed = distributions_of(top)
    registered = {point.dist.name for group in entry_points().groups if group.startswith("rc_vs_snn.")
                  for point in entry_points(group=group) if point.dist is not None}  # fmt: skip
    if installed and top != OURS and not registered.intersection(installed):
        raise InputError(
            f"{kind} '{path}' is of the installed package {installed[0]}, which registers no plug-in; name "
            "your own code, or a plug-in by its name"
        )
