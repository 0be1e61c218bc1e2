"""The Free Spoken Digit Dataset: ten English digits, six speakers, 8 kHz, recordings of different lengths."""

import re
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from rc_vs_snn.contracts import Samples, Sensor, Splits
from rc_vs_snn.datasets.audio import AudioFiles, Clip, Damaged, audio_files, id_of, named_by, sound
from rc_vs_snn.datasets.folders import HOW_TO_SET, data_root
from rc_vs_snn.datasets.splitting import stratified_order
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for

FOLDERS = ("fsdd/recordings", "free-spoken-digit-dataset/recordings")
TEST_TAKES = 5  # of each digit and speaker, the first: the corpus's own division
NAME = re.compile(r"(\d)_([^_]+)_(\d+)\.(wav|flac)", re.IGNORECASE)
SplitBy = Literal["official", "speaker"]


@datasets.register("spoken-digits")
def spoken_digits(
    root: Path | None = None,
    split_seed: int = 0,
    split: SplitBy = "official",
    valid_share: float = 0.1,
    valid_speaker: str = "nicolas",
    test_speaker: str = "theo",
    rate_hz: int = 8000,
    damaged: Damaged = "refuse",
) -> Splits:
    """Spoken digits (FSDD), 8 kHz, 0.14 to 2.3 s, from six speakers.

    ``official``: test are the takes 0 to 4 of every digit and speaker, as its authors divide it; valid is
    drawn from the rest, stratified by digit and speaker. All speakers are in all splits. ``speaker``: test
    is all of one speaker, valid all of another, and train the others.

    Args:
        root: the data root; recordings lie in ``fsdd/recordings/`` or in
            ``free-spoken-digit-dataset/recordings/`` as ``<digit>_<speaker>_<take>.wav``.
        split_seed: seed of the division into train and valid ("official"), apart from a run's seed.
        split: "official" or "speaker".
        valid_share: share of the official training recordings that is held out for validation.
        valid_speaker: whose recordings are valid ("speaker").
        test_speaker: whose recordings are test ("speaker").
        rate_hz: samples per second; recordings of another rate are resampled.
        damaged: "refuse" empty or truncated recordings, or "skip" them with a warning.

    Returns:
        Signals of one channel and different lengths, float32 in [-1, 1]; an id is that of a recording's name.

    Raises:
        InputError: no recordings under the root, one that is damaged or misnamed, or an unknown option.

    Source: Z. Jackson et al., Free Spoken Digit Dataset, github.com/Jakobovski/free-spoken-digit-dataset.
    """
    if split not in get_args(SplitBy):
        raise InputError(f"there is no split '{split}'; {did_you_mean(str(split), get_args(SplitBy))}")
    paths = _recordings(data_root(root), damaged)
    fields = [NAME.fullmatch(path.name).groups() for path in paths]  # type: ignore[union-attr]
    labels = np.array([int(digit) for digit, *_ in fields])
    speakers = np.array([speaker for _, speaker, *_ in fields])
    if split == "speaker":
        rows = _by_speaker(speakers, valid_speaker, test_speaker)
    else:
        takes = np.array([int(take) for _, _, take, _ in fields])
        rows = _official(labels, speakers, takes, valid_share, split_seed)
    ids = np.array([id_of(path.stem) for path in paths])
    sensor = Sensor(rate_hz=float(rate_hz), channels=("microphone",))

    def pick(chosen: np.ndarray) -> Samples:
        files = AudioFiles([Clip(paths[row]) for row in chosen], rate_hz)
        values = np.empty(len(files), object)
        values[:] = [files[row] for row in range(len(files))]  # 40 MB in all: no need to read them again
        return Samples(values, labels[chosen], ids[chosen], "signals", 10, sensor)

    train, valid, test = (pick(part) for part in rows)
    return Splits(train, valid, test, tuple("0123456789"))


def _recordings(root: Path, damaged: Damaged) -> list[Path]:
    folder = next((root / name for name in FOLDERS if (root / name).is_dir()), None)
    found = audio_files(folder) if folder else []
    if not found:
        raise InputError(
            f"no spoken digits under {root}: looked for recordings in {' and '.join(FOLDERS)}; fetch them "
            "there with git clone https://github.com/Jakobovski/free-spoken-digit-dataset, or "
            f"{HOW_TO_SET}"
        )
    named_by(NAME.fullmatch, found, "<digit>_<speaker>_<take>.wav")
    return sound(found, damaged)


def _by_speaker(speakers: np.ndarray, valid: str, test: str) -> tuple[np.ndarray, ...]:
    known = sorted(set(speakers.tolist()))
    for name in (valid, test):
        if name not in known:
            raise InputError(f"there is no speaker '{name}'; {did_you_mean(str(name), known)}")
    if valid == test:
        raise InputError(f"valid_speaker and test_speaker are both '{test}'; choose two")
    others = ~np.isin(speakers, (valid, test))
    return tuple(np.flatnonzero(mask) for mask in (others, speakers == valid, speakers == test))


def _official(
    labels: np.ndarray, speakers: np.ndarray, takes: np.ndarray, valid_share: float, split_seed: int
) -> tuple[np.ndarray, ...]:
    if not 0 < valid_share < 1:
        raise InputError(f"valid_share must lie between 0 and 1, got {valid_share}")
    test, rest = np.flatnonzero(takes < TEST_TAKES), np.flatnonzero(takes >= TEST_TAKES)
    _, who = np.unique(speakers, return_inverse=True)
    order = rest[
        stratified_order((who * 10 + labels)[rest], generator_for(split_seed, "split", "spoken-digits"))
    ]
    n_valid = max(1, round(valid_share * len(rest)))
    return np.sort(order[n_valid:]), np.sort(order[:n_valid]), test
