"""Where and how a run is executed: nothing here changes which result is meant. Imports torch when used."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rc_vs_snn.errors import InputError
from rc_vs_snn.registry.values import is_whole

MOST_PER_CORE = 4
"""Threads: more than one a core help nobody, and very many end the process."""

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Execution:
    """Where and how runs are executed; nothing here changes which result is meant.

    Attributes:
        device: "auto", "cpu", "cuda" or "mps".
        threads: torch threads per run; results are repeatable for one number of threads.
        data_root: where the corpora lie (None: RC_VS_SNN_DATA, or the default).
        trust: run code that a stored run names by its path (module:attribute); only for runs whose origin you
            trust.
    """

    device: str = "auto"
    threads: int = 1
    data_root: Path | None = None
    trust: bool = False

    def __post_init__(self) -> None:
        most = MOST_PER_CORE * (os.cpu_count() or 1)
        if not is_whole(self.threads, 1, most):
            raise InputError(
                f"threads must be at least 1, at most {most} ({MOST_PER_CORE} a core), got {self.threads!r}"
            )

    def torch_device(self) -> "torch.device":
        """Return the device, after checking that it is there."""
        import torch

        available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if self.device == "auto":
            return torch.device(next(name for name in ("cuda", "mps", "cpu") if available[name]))
        kind = self.device.partition(":")[0]
        if not available.get(kind, False):
            there = ", ".join(name for name, is_there in available.items() if is_there)
            raise InputError(f"device '{self.device}' is not available; available here: auto, {there}")
        return torch.device(self.device)


@contextlib.contextmanager
def torch_settings(execution: Execution) -> Iterator[None]:
    """Set threads for one run and leave torch's global state as it was."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(execution.threads)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before)
