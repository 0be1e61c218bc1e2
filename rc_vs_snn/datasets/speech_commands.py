"""Google Speech Commands v2: 35 spoken words, or ten words, silence and all others; 16 kHz, a second each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from rc_vs_snn.contracts import SPLITS, Samples, Sensor, SplitName, Splits
from rc_vs_snn.datasets.audio import (
    AudioFiles,
    Clip,
    Damaged,
    audio_files,
    content_hash,
    id_of,
    n_samples_of,
    named_by,
    sound,
)
from rc_vs_snn.datasets.folders import HOW_TO_SET, data_root
from rc_vs_snn.datasets.splitting import stratified_order
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry import datasets
from rc_vs_snn.seeds import generator_for

TREES = ("speech_commands_v0.02", "SpeechCommands/speech_commands_v0.02", "speech_commands_v2")
FOLD = "speech_commands_v2_test_fold"
COMMANDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
OTHERS = (
    "backward", "bed", "bird", "cat", "dog", "eight", "five", "follow", "forward", "four", "happy", "house",
    "learn", "marvin", "nine", "one", "seven", "sheila", "six", "three", "tree", "two", "visual", "wow",
    "zero",
)  # fmt: skip
SILENCE, UNKNOWN, NOISE = "_silence_", "_unknown_", "_background_noise_"
LISTS: dict[SplitName, str] = {"valid": "validation_list.txt", "test": "testing_list.txt"}
NAME = re.compile(r"([0-9a-f]+)_nohash_\d+\.(wav|flac)", re.IGNORECASE)
FOLD_NAME = re.compile(r"(?:[a-z]+_)?([0-9a-f]+)_nohash_\d+(?:\.wav)?\.(wav|flac)", re.IGNORECASE)
# Noise is shared out along each recording, so that no stretch of it is in two splits.
NOISE_UP_TO: dict[SplitName, tuple[float, float]] = {
    "train": (0.0, 0.8), "valid": (0.8, 0.9), "test": (0.9, 1.0),
}  # fmt: skip
Division = Literal["official", "test-fold"]


@dataclass(frozen=True)
class Entry:
    """One clip with its class and the name that its id is made of."""

    clip: Clip
    word: str
    name: str


@datasets.register("speech-commands")
def speech_commands(
    root: Path | None = None,
    split_seed: int = 0,
    split: Division = "official",
    classes: Literal[12, 35] = 35,
    valid_share: float = 0.15,
    test_share: float = 0.15,
    rate_hz: int = 16_000,
    damaged: Damaged = "refuse",
    in_memory: bool = False,
) -> Splits:
    """Google Speech Commands v2: 35 words or 12 classes, 16 kHz; or its test fold, split anew by speaker.

    ``official``: the tree of wavs (or flacs) with its own validation_list.txt and testing_list.txt. The 12
    classes are ten words, ``_unknown_`` (of the other words as many clips of each split as a word has on
    average, drawn by ``split_seed``) and ``_silence_`` (as many seconds cut from the background noise, of
    which each split has a stretch of its own). ``test-fold``: the official 12-class test set alone, divided
    by speaker into train, valid and test, byte duplicates dropped ("GSC v2 test fold, re-split"); its results
    do not compare with those of the whole corpus. Of its silence no speaker is known, so stretches of one
    noise may be in two splits.

    Args:
        root: the data root; the tree lies in ``speech_commands_v0.02/``, ``speech_commands_v2/`` or where
            torchaudio puts it, the fold in ``speech_commands_v2_test_fold/``.
        split_seed: seed of what is drawn, apart from a run's seed.
        split: "official" or "test-fold".
        classes: 35 or 12 ("official"); the fold has 12.
        valid_share: share of the fold's clips, as nearly as whole speakers allow.
        test_share: likewise.
        rate_hz: samples per second; clips of another rate are resampled.
        damaged: "refuse" empty or truncated files, or "skip" them with a warning.
        in_memory: read all clips at once (64 kB a second) rather than batch by batch.

    Returns:
        Signals of one channel, float32 in [-1, 1]; a clip's id is that of its name.

    Raises:
        InputError: no corpus under the root, missing words or clips, one that is damaged or misnamed, or
            an unknown option.

    Source: P. Warden, "Speech Commands: a dataset for limited-vocabulary speech recognition",
        arXiv 1804.03209.
    """
    if split not in get_args(Division):
        raise InputError(f"there is no split '{split}'; {did_you_mean(str(split), get_args(Division))}")
    if classes not in (12, 35) or isinstance(classes, bool):
        raise InputError(f"classes must be 12 or 35, got {classes!r}")
    folder = data_root(root)
    if split == "test-fold":
        parts = _fold(folder, split_seed, valid_share, test_share, damaged)
    else:
        parts = _official(folder, split_seed, classes, damaged)
    few = split == "test-fold" or classes == 12
    names = (*COMMANDS, SILENCE, UNKNOWN) if few else tuple(sorted((*COMMANDS, *OTHERS)))
    train, valid, test = (_samples(parts[name], names, rate_hz, in_memory) for name in SPLITS)
    return Splits(train, valid, test, names)


def _samples(entries: Sequence[Entry], names: tuple[str, ...], rate_hz: int, in_memory: bool) -> Samples:
    files = AudioFiles([entry.clip for entry in entries], rate_hz)
    sensor = Sensor(rate_hz=float(rate_hz), channels=("microphone",))
    labels = np.array([names.index(entry.word) for entry in entries], np.int64)
    ids = np.array([id_of(entry.name) for entry in entries], np.int64)
    found = Samples(files, labels, ids, "signals", len(names), sensor)
    return found.read() if in_memory else found


def _official(root: Path, split_seed: int, classes: int, damaged: Damaged) -> dict[SplitName, list[Entry]]:
    tree = next((root / name for name in TREES if (root / name / LISTS["test"]).is_file()), None)
    if tree is None:
        raise InputError(
            f"no Speech Commands under {root}: looked for {LISTS['test']} in {', '.join(TREES)}; unpack "
            f"http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz into {root / TREES[0]}, set "
            f"dataset.split=test-fold for the test fold alone, or {HOW_TO_SET}"
        )
    words = sorted((*COMMANDS, *OTHERS))
    missing = [word for word in words if not (tree / word).is_dir()]
    if missing:
        raise InputError(f"{tree} has no folders {', '.join(missing)}; unpack the corpus again")
    paths = [path for word in words for path in audio_files(tree / word)]
    named_by(NAME.fullmatch, paths, "<speaker>_nohash_<number>.wav")
    by_name = {f"{path.parent.name}/{path.stem}": path for path in paths}
    split_of: dict[str, SplitName] = {}
    for split, file in LISTS.items():
        listed = [line.rpartition(".")[0] for line in (tree / file).read_text(encoding="utf-8").split()]
        gone = [line for line in listed if line not in by_name]
        if gone:
            raise InputError(
                f"{len(gone):,} of {len(listed):,} clips of {tree / file} are not there (first: {gone[0]}); "
                "unpack the corpus again"
            )
        split_of.update(dict.fromkeys(listed, split))
    kept = set(sound(paths, damaged))
    parts: dict[SplitName, list[Entry]] = {name: [] for name in SPLITS}
    for name, path in by_name.items():
        if path in kept:
            parts[split_of.get(name, "train")].append(Entry(Clip(path), path.parent.name, name))
    if classes == 12:
        noise = sound(audio_files(tree / NOISE) if (tree / NOISE).is_dir() else [], damaged)
        return {name: _of_twelve(entries, noise, split_seed, name) for name, entries in parts.items()}
    return parts


def _of_twelve(entries: list[Entry], noise: list[Path], split_seed: int, split: SplitName) -> list[Entry]:
    """Return the ten words, and as many clips of other words and of silence as a word has on average."""
    known = [entry for entry in entries if entry.word in COMMANDS]
    others = [entry for entry in entries if entry.word not in COMMANDS]
    share = max(1, round(len(known) / len(COMMANDS)))
    draw = generator_for(split_seed, "split", "speech-commands", split)
    order = stratified_order(np.array([OTHERS.index(entry.word) for entry in others]), draw)[:share]
    unknown = [Entry(others[row].clip, UNKNOWN, others[row].name) for row in sorted(order.tolist())]
    if not noise:
        raise InputError(f"12 classes need the recordings of {NOISE}; unpack the corpus again")
    low, high = NOISE_UP_TO[split]
    silence = []
    for number in range(share):
        path = noise[number % len(noise)]
        total, rate_hz = n_samples_of(path)
        first, last = round(low * total), round(high * total) - rate_hz
        if last < first:
            raise InputError(f"{path} lasts {total / rate_hz:.1f} s; noise must last at least 10 s")
        start = int(draw.integers(first, last + 1))
        name = f"{SILENCE}/{split}/{path.stem}/{number}"
        silence.append(Entry(Clip(path, start, rate_hz), SILENCE, name))
    return [*known, *silence, *unknown]


def _fold(
    root: Path, split_seed: int, valid_share: float, test_share: float, damaged: Damaged
) -> dict[SplitName, list[Entry]]:
    if not (valid_share > 0 and test_share > 0 and valid_share + test_share < 1):
        raise InputError(
            f"valid_share and test_share must be above 0 and leave a share for train, got {valid_share} and "
            f"{test_share}"
        )
    fold, words = root / FOLD, (*COMMANDS, SILENCE, UNKNOWN)
    missing = [word for word in words if not (fold / word).is_dir()]
    if missing:
        raise InputError(f"{fold} has no folders {', '.join(missing)}; fetch the test fold, or {HOW_TO_SET}")
    paths = [path for word in words for path in audio_files(fold / word)]
    spoken = [path for path in paths if path.parent.name != SILENCE]
    named_by(FOLD_NAME.fullmatch, spoken, "<speaker>_nohash_<number>.flac")
    once = {content_hash(path): path for path in reversed(sound(paths, damaged))}
    kept = sorted(once.values())
    speakers = np.array([speaker_of(path) for path in kept])
    names, speaker, counts = np.unique(speakers, return_inverse=True, return_counts=True)
    order = generator_for(split_seed, "split", "speech-commands", FOLD).permutation(len(names))
    before = np.empty(len(names))  # share of the clips whose speakers come before this one
    before[order] = (np.cumsum(counts[order]) - counts[order]) / len(kept)
    parts: dict[SplitName, list[Entry]] = {name: [] for name in SPLITS}
    for path, place in zip(kept, before[speaker].tolist(), strict=True):
        split: SplitName = (
            "test" if place < test_share else "valid" if place < test_share + valid_share else "train"
        )
        entry = Entry(Clip(path), path.parent.name, f"{path.parent.name}/{path.stem}")
        parts[split].append(entry)
    return parts


def speaker_of(path: Path) -> str:
    """Return who speaks in a clip of the test fold; of silence, each clip is its own."""
    found = FOLD_NAME.fullmatch(path.name)
    return f"{SILENCE}/{path.stem}" if path.parent.name == SILENCE or found is None else found[1]
