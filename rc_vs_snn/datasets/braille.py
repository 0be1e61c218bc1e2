"""Braille letters read by a robot's fingertip: events of twelve taxels, from the published files."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from rc_vs_snn.contracts import Samples, Sensor, Splits
from rc_vs_snn.datasets.folders import HOW_TO_SET, data_root
from rc_vs_snn.datasets.splitting import stratified_order
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for

FOLDERS = ("braille", "Braille", "reading_braille_data")
LETTERS = ("Space", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
N_TAXELS = 12
SENSOR = Sensor(layout=(2, N_TAXELS), channels=tuple(f"taxel {number}" for number in range(N_TAXELS)))
EVENT = np.dtype([("t", np.int64), ("x", np.int16), ("p", np.int8)])
SHARE_HELD = 0.15  # for valid, and for test

# A pickle can run any code: of what is not plain, arrays of NumPy alone are let in.
_LET_IN = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("collections", "OrderedDict"),
    *((module, name) for module in ("numpy.core.multiarray", "numpy._core.multiarray")
      for name in ("_reconstruct", "scalar")),
    *((module, "_frombuffer") for module in ("numpy.core.numeric", "numpy._core.numeric")),
}  # fmt: skip


@datasets.register("braille")
def braille(
    root: Path | None = None,
    split_seed: int = 0,
    threshold: Literal[1, 2, 5, 10] = 1,
    letters: tuple[str, ...] = LETTERS,
) -> Splits:
    """Braille reading: 27 letters, 12 taxels of a fingertip, ON and OFF events, about 1.3 s.

    The corpus has no official split; ours is drawn, stratified, by ``split_seed``: 70 / 15 / 15 %.

    Args:
        root: the data root; the file ``data_braille_letters_th_<threshold>.pkl`` lies in ``braille/``.
        split_seed: seed of the division, apart from a run's seed.
        threshold: of the sigma-delta code: the change of a taxel that makes an event.
        letters: those to keep, of "Space" and "A" to "Z".

    Returns:
        Events with the fields t (microseconds), x (taxel) and p (0: the first of a taxel's two lists, ON;
        1: the second). Ids are the places in the file.

    Raises:
        InputError: no file, one that is none of this corpus, or an unknown letter.

    Source: Müller-Cleve et al. 2022, Frontiers in Neuroscience 16:951164, data: doi 10.5281/zenodo.7050094.
    """
    for letter in letters:
        if letter not in LETTERS:
            raise InputError(f"there is no letter {letter!r}; {did_you_mean(str(letter), LETTERS)}")
    path = _located(data_root(root), threshold)
    events, written = _columns(_unpickled(path), path)
    rows = [row for row, letter in enumerate(written) if letter in letters]
    missing = set(letters) - set(written)
    if missing or set(written) - set(LETTERS):
        what = sorted(missing or set(map(str, written)) - set(LETTERS))
        raise InputError(f"{path} holds {'no trial of' if missing else 'the unknown letters'} {what}")
    values = np.empty(len(rows), dtype=object)
    for place, row in enumerate(rows):
        values[place] = _recording(events[row], f"trial {row} of {path}")
    labels = np.array([letters.index(written[row]) for row in rows])
    whole = Samples(values, labels, np.array(rows, np.int64), "events", len(letters), SENSOR)
    order = stratified_order(labels, generator_for(split_seed, "split", "braille"))
    n_held = max(1, round(SHARE_HELD * len(rows)))
    if len(rows) < 3:
        raise InputError(f"{path} holds {len(rows)} trials of these letters, too few for three splits")
    return Splits(
        train=whole.select(np.sort(order[2 * n_held :])),
        valid=whole.select(np.sort(order[:n_held])),
        test=whole.select(np.sort(order[n_held : 2 * n_held])),
        class_names=tuple(letters),
    )


def _located(root: Path, threshold: int) -> Path:
    name = f"data_braille_letters_th_{threshold}.pkl"
    for folder in FOLDERS:
        if (root / folder / name).is_file():
            return root / folder / name
    raise InputError(
        f"there is no {name} in {root / FOLDERS[0]}; unpack reading_braille_data.zip of "
        f"https://zenodo.org/records/7050094 into it, or {HOW_TO_SET}"
    )


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _LET_IN:
            raise pickle.UnpicklingError(f"it holds {module}.{name}")
        return super().find_class(module, name)


def _unpickled(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            return _Plain(file).load()
    except Exception as error:  # a damaged pickle raises whatever it comes upon
        raise InputError(
            f"{path} cannot be read ({type(error).__name__}: {error}); only plain values and NumPy arrays "
            "are read from a pickle: convert a data frame with frame[['events', 'letter']].to_dict('list')"
        ) from error


def _columns(found: Any, path: Path) -> tuple[list[Any], list[Any]]:
    """Return every trial's events and letter, of columns or of one table a trial."""
    names = ("events", "letter")
    if isinstance(found, list | tuple) and found and all(isinstance(trial, Mapping) for trial in found):
        found = {name: [trial.get(name) for trial in found] for name in names}
    if not isinstance(found, Mapping) or any(name not in found for name in names):
        raise InputError(f"{path} must hold the columns events and letter, one entry a trial")
    events, letters = (list(found[name]) for name in names)
    if not events or len(events) != len(letters):
        raise InputError(f"{path} holds {len(events)} trials and {len(letters)} letters")
    return events, letters


def _recording(taxels: Any, where: str) -> np.ndarray:
    """Return events in the order of time, of lists of seconds: per taxel those of ON and of OFF."""
    try:
        times = [[np.asarray(side, np.float64).reshape(-1) for side in taxel] for taxel in taxels]
    except (TypeError, ValueError) as error:
        raise InputError(f"{where} holds no lists of seconds per taxel: {error}") from error
    if len(times) != N_TAXELS or any(len(taxel) != 2 for taxel in times):
        raise InputError(f"{where} must hold {N_TAXELS} taxels of two lists, ON and OFF, got {len(times)}")
    sides = [(taxel, side, each) for taxel, both in enumerate(times) for side, each in enumerate(both)]
    events = np.empty(sum(len(each) for _, _, each in sides), EVENT)
    seconds = np.concatenate([each for _, _, each in sides])
    if not (np.isfinite(seconds) & (seconds >= 0)).all():
        raise InputError(f"{where} has an event at a time that is none")
    events["t"] = np.rint(seconds * 1e6)
    events["x"] = np.repeat([taxel for taxel, _, _ in sides], [len(each) for _, _, each in sides])
    events["p"] = np.repeat([side for _, side, _ in sides], [len(each) for _, _, each in sides])
    return np.sort(events, order="t", kind="stable")
