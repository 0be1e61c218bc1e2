"""Where corpora lie on this computer."""

import os
from pathlib import Path

from rc_vs_snn.errors import InputError

ENVIRONMENT_VARIABLE = "RC_VS_SNN_DATA"
HOW_TO_SET = f"set another data root with --data-root or the environment variable {ENVIRONMENT_VARIABLE}"


def data_root(override: Path | str | None = None) -> Path:
    """Return the folder that holds the corpora.

    The first of: ``override``, the environment variable ``RC_VS_SNN_DATA``, the ``datasets/`` folder
    of the project's checkout, the user's cache folder. The folder need not exist yet.

    Args:
        override: what the user gave, or None.

    Returns:
        An absolute path.

    Raises:
        InputError: the path is a file, or no path.
    """
    chosen = override or os.environ.get(ENVIRONMENT_VARIABLE) or _checkout_folder() or _cache_folder()
    if "\0" in str(chosen):
        raise InputError(f"the data root {str(chosen)!r} is no path; {HOW_TO_SET}")
    root = Path(chosen).expanduser().absolute()
    if os.path.lexists(root) and not root.is_dir():
        what = "a link that leads to no folder" if root.is_symlink() else "a file, not a folder"
        raise InputError(f"the data root {root} is {what}; {HOW_TO_SET}")
    return root


def _checkout_folder(module: str = __file__) -> Path | None:
    project = Path(module).parents[2]
    # Installed into site-packages, a neighbour called "datasets" is another package, not our folder.
    if (project / "pyproject.toml").is_file() and (project / "datasets").is_dir():
        return project / "datasets"
    return None


def _cache_folder() -> Path:
    import pooch  # here, since most runs never need it

    return Path(pooch.os_cache("rc_vs_snn"))
