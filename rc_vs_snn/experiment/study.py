"""The study of a search on disk: what is tried next, what came of what was. Optuna is imported here alone.

It is a journal that several processes append to. What a trial draws depends on the seed, its number and the
trials before it, so a search that was stopped goes on as if it had not been.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rc_vs_snn import seeds
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.search import Search

JOURNAL = "study.journal"
NAME = "search"
IDENTITY = "search"
AT_RANDOM = 10
"""The first trials are drawn at random, those after them by what is known of all before."""


@dataclass(frozen=True)
class Trial:
    """One point of a search space.

    Attributes:
        number: from 0.
        drawn: a value of Optuna for every setting.
        state: "running", "done" or "failed".
    """

    number: int
    drawn: dict[str, Any]
    state: str


class Study:
    """The trials of one search; its methods are to be called by one process at a time, but for ``tell``.

    Args:
        search: what is searched.
        out: the folder of the journal.

    Raises:
        InputError: Optuna is not installed, or the journal is of another search.
    """

    def __init__(self, search: Search, out: Path) -> None:
        try:
            import optuna
            from optuna.storages import JournalStorage
            from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
        except ImportError as error:
            raise InputError("to search, install Optuna: pip install 'rc_vs_snn[tune]'") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path = str(out / JOURNAL)
        self._search = search
        try:
            storage = JournalStorage(JournalFileBackend(path, JournalFileOpenLock(path)))
            self._study: optuna.Study = optuna.create_study(
                study_name=NAME, storage=storage, load_if_exists=True, directions=["maximize", "minimize"]
            )
            if IDENTITY not in self._study.user_attrs:
                self._study.set_user_attr(IDENTITY, search.identity)
            found = self._study.user_attrs[IDENTITY]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise InputError(f"{path} is no journal of a search ({error}); choose another --out") from error
        if found != search.identity:
            raise InputError(
                f"{out} holds another search: of another run, or in another space; choose another --out"
            )

    def trials(self) -> list[Trial]:
        """Return all trials, in their order."""
        from optuna.trial import TrialState

        states = {TrialState.COMPLETE: "done", TrialState.FAIL: "failed"}
        return [
            Trial(trial.number, dict(trial.params), states.get(trial.state, "running"))
            for trial in self._study.get_trials(deepcopy=False)
        ]

    def ask(self) -> Trial:
        """Return a new trial."""
        import optuna

        number = len(self._study.get_trials(deepcopy=False))
        seed = seeds.seed_for(self._search.base.seed, "search", number) % 2**32
        with warnings.catch_warnings(action="ignore"):  # of what Optuna calls experimental
            self._study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=AT_RANDOM)
            asked = self._study.ask({each.key: each.distribution() for each in self._search.space})
        return Trial(asked.number, dict(asked.params), "running")

    def tell(self, number: int, values: Sequence[float] | None) -> None:
        """Say what came of a trial: valid accuracy and mean step, or None if it failed."""
        from optuna.trial import TrialState

        if values is None or any(map(math.isnan, values)):
            self._study.tell(number, state=TrialState.FAIL)
        else:
            self._study.tell(number, list(values))
