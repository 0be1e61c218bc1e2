"""How far a run is that is being made: told by the process that makes it, beside its working folder.

So it can be asked from anywhere that sees the folder, whatever engine runs it and whether its client lives.
"""

import contextlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from rc_vs_snn.records.folders import partial_folder, told_of, write_whole

EVERY_S = 2.0
"""It is told no more often."""


@dataclass(frozen=True)
class Stage:
    """How far a run is.

    Attributes:
        label, seed: of its configuration.
        epoch: how many epochs are done.
        epochs: how many there are to be.
        started: in seconds since 1970, by the clock of its machine.
        told: when this was told, likewise.
    """

    label: str
    seed: int
    epoch: int
    epochs: int
    started: float
    told: float


class Teller:
    """Tells how far a run is.

    Args:
        working: its working folder.
        label, seed, epochs: see ``Stage``.
    """

    def __init__(self, working: Path, label: str, seed: int, epochs: int) -> None:
        self.path, self.started = told_of(working), time.time()
        self.label, self.seed, self.epochs = label, seed, epochs
        self._told = 0.0
        self.epoch(0)

    def epoch(self, n_done: int) -> None:
        """Tell that so many epochs are done; a full disk keeps nobody from training."""
        now = time.time()
        if now - self._told >= EVERY_S:
            self._told = now
            stage = Stage(self.label, self.seed, n_done, self.epochs, self.started, now)
            with contextlib.suppress(OSError):
                write_whole(self.path, json.dumps(asdict(stage)) + "\n")


def read_stages(folder: Path) -> list[Stage]:
    """Return how far a run is, or was when its process was killed; the last that was begun first."""
    found = []
    with contextlib.suppress(OSError):  # nobody has begun, or has just ended
        for path in partial_folder(folder).glob("*@*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError):
                stage = Stage(**json.loads(path.read_text(encoding="utf-8")))
                label, *numbers = asdict(stage).values()
                if isinstance(label, str) and all(type(each) in (int, float) for each in numbers):
                    found.append(stage)
    return sorted(found, key=lambda stage: stage.started, reverse=True)
