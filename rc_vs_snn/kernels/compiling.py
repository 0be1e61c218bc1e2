"""Compiled once and kept on disk; where there is no folder for that, compiled anew in every process."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import numba


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator like ``numba.njit`` that keeps what it compiles, if it can.

    Args:
        options: of ``numba.njit``.
    """

    def compile_(function: Callable[..., Any]) -> Any:
        try:
            return numba.njit(cache=True, **options)(function)
        except RuntimeError:  # no locator available: neither beside the file nor in a home
            _warn_once()
            return numba.njit(**options)(function)

    return compile_


@functools.cache
def _warn_once() -> None:
    warnings.warn(
        "compiled loops are not kept (numba finds no folder for them), so every process compiles anew what "
        "it uses; set the environment variable NUMBA_CACHE_DIR to a folder that can be written",
        stacklevel=3,
    )
