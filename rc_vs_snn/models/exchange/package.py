"""The packages of the extra ``nir``, imported when they are needed."""

import importlib
from typing import Any

from rc_vs_snn.errors import InputError


def the_nir() -> Any:
    """Return the package nir.

    Raises:
        InputError: it is not installed.
    """
    try:
        return importlib.import_module("nir")
    except ImportError as error:
        raise InputError("NIR needs an extra; install it: pip install 'rc_vs_snn[nir]'") from error
