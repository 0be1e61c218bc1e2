"""Tonic's corpora by name: opened without a download, their parts, labels, sensor and transforms.

Tonic is GPL-3.0 and imported only when one is opened.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rc_vs_snn.contracts import SplitName
from rc_vs_snn.datasets.recordings import Layout, Read
from rc_vs_snn.errors import InputError, did_you_mean

_OURS = ("save_to", "root", "transform", "target_transform", "transforms")
_N_TRIES = 8


def corpus_class(name: Any) -> Any:
    """Return the class of ``tonic.datasets`` called ``name``."""
    import tonic.datasets

    known = tonic.datasets.__all__
    if name not in known:
        told = "needs the option class, a corpus of Tonic" if name is None else f"knows no class {name!r}"
        raise InputError(f"dataset 'tonic' {told}; {did_you_mean(str(name), known)}")
    return getattr(tonic.datasets, name)


def official_parts(corpus: Any) -> dict[SplitName, dict[str, Any]]:
    """Return the arguments that give each of a corpus's official parts; one alone is the whole corpus."""
    parameters = inspect.signature(corpus).parameters
    if "train" in parameters:
        return {"train": {"train": True}, "test": {"train": False}}
    if "split" in parameters and parameters["split"].default == "train":
        return {"train": {"split": "train"}, "valid": {"split": "valid"}, "test": {"split": "test"}}
    return {"train": {}}


def check_arguments(corpus: Any, arguments: Mapping[str, Any]) -> None:
    """Raise InputError on arguments that a corpus does not take, or takes from us."""
    ours = {name for part in official_parts(corpus).values() for name in part} | set(_OURS)
    allowed = [name for name in inspect.signature(corpus).parameters if name not in ours]
    for name in arguments:
        if name not in allowed:
            raise InputError(
                f"tonic.datasets.{corpus.__name__} takes no '{name}' here; "
                + (did_you_mean(name, allowed) if allowed else "it has no arguments of its own")
            )


def open_part(corpus: Any, root: Path, arguments: Mapping[str, Any], *, download: bool) -> Any:
    """Return a part of a corpus, of which at least one recording is at hand.

    Args:
        corpus: a class of ``tonic.datasets``.
        root: the data root; Tonic looks in a folder of the class's name below it.
        arguments: of the class.
        download: whether Tonic may fetch what is missing. If not, it takes what is there, a part of the
            corpus or one whose archive was deleted, too.

    Raises:
        InputError: no recordings, or arguments that are refused.
    """
    chosen = corpus if download else _offline(corpus)
    try:
        opened = chosen(str(root), **arguments)
        n_recordings = len(opened)
    except InputError:
        raise
    except Exception as error:  # whatever a third party's reader raises
        raise InputError(_nothing(corpus, root, f"{type(error).__name__}: {error}")) from error
    if not n_recordings:
        raise InputError(_nothing(corpus, root, "there are none"))
    return opened


def _offline(corpus: Any) -> Any:
    """Return the class taking what is on disk for complete, as it stands in the way of parts otherwise."""

    def refuse(self: Any) -> None:
        raise InputError(
            f"tonic.datasets.{corpus.__name__} wants to download; set the dataset's download=true"
        )

    return type(corpus.__name__, (corpus,), {"_check_exists": lambda *_: True, "download": refuse})


def _nothing(corpus: Any, root: Path, why: str) -> str:
    return (
        f"no recordings of tonic.datasets.{corpus.__name__} under {root} ({why}); put them into "
        f"{root / corpus.__name__} as Tonic does, or set the dataset's download=true"
    )


def stable_rows(opened: Any) -> np.ndarray:
    """Return the recordings in the order of their files' names: some classes list them as the disk does."""
    files = getattr(opened, "data", None)
    if isinstance(files, list) and len(files) == len(opened) and all(isinstance(file, str) for file in files):
        return np.array(sorted(range(len(files)), key=files.__getitem__), np.int64)
    return np.arange(len(opened))


def listed_labels(opened: Any) -> Sequence[Any] | None:
    """Return the labels of all recordings where a class knows them without reading these; else None."""
    for name in ("targets", "labels", "label_data"):
        found = getattr(opened, name, None)
        if isinstance(found, list | np.ndarray) and len(found) == len(opened):
            return list(found)
    file_name = getattr(opened, "data_filename", None)
    if isinstance(file_name, str) and file_name.endswith(".h5"):  # the Heidelberg sets
        import h5py

        with h5py.File(Path(opened.location_on_system) / file_name, "r") as file:
            if "labels" in file and len(file["labels"]) == len(opened):
                return list(file["labels"][()])
    return None


def class_names(opened: Any) -> tuple[str, ...]:
    """Return the names of a corpus's classes, in the order of their numbers; none if it tells none."""
    names = getattr(opened, "classes", ())
    if isinstance(names, Mapping):
        names = sorted(names, key=names.__getitem__)
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


def sensor_layout(opened: Any) -> Layout | None:
    """Return a sensor's layout, of Tonic's (width, height, polarities); None: recordings differ in size."""
    size = getattr(opened, "sensor_size", None)
    if size is None:
        return None
    width, height, polarities = (int(each) for each in size)
    return (polarities, width) if height == 1 else (polarities, height, width)


def transformation(entries: Sequence[Any]) -> Callable[[Any], Any] | None:
    """Return Tonic transforms, one after another.

    Args:
        entries: tables with a transform's name and its arguments; lists are given to it as tuples.

    Raises:
        InputError: there is no such transform, or its arguments are wrong.
    """
    if not entries:
        return None
    import tonic.transforms

    built = []
    for entry in entries:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            raise InputError(f'transforms are tables such as {{ name = "Denoise" }}, got {entry!r}')
        known = [name for name, value in vars(tonic.transforms).items() if inspect.isclass(value)]
        if entry["name"] not in known:
            raise InputError(
                f"Tonic has no transform {entry['name']!r}; {did_you_mean(entry['name'], known)}"
            )
        given = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in entry.items()
            if key != "name"
        }
        try:
            built.append(getattr(tonic.transforms, entry["name"])(**given))
        except Exception as error:
            raise InputError(f"Tonic's transform {entry['name']} refuses {given}: {error}") from error
    return tonic.transforms.Compose(built)


def reader(opened: Any, rows: np.ndarray, transform: Callable[[Any], Any] | None) -> Read:
    """Return what reads recording i of ``rows`` and its label."""

    def read(at: int) -> tuple[Any, Any]:
        events, target = opened[int(rows[at])][:2]
        return (events if transform is None else transform(events)), target

    return read


def check_draws_nothing(read: Read, names: str) -> None:
    """Raise InputError if transforms draw at random: they would change valid and test, too."""
    try:
        first, others = read(0)[0], [read(0)[0] for _ in range(_N_TRIES)]
    except Exception:  # told where recordings are read
        return
    if not all(np.array_equal(first, other) for other in others):
        raise InputError(
            f"the transforms {names} draw at random, and would change valid and test, too; use an "
            "augmentation (`rc-vs-snn list augmentations`), which changes training samples alone"
        )
