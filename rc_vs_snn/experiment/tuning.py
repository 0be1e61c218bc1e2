"""Tuning: trials are trained and judged on valid; test is read at the end, for those on the front alone."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rc_vs_snn import records
from rc_vs_snn.analysis.search import front_of
from rc_vs_snn.config import RunConfig, differences
from rc_vs_snn.datasets.folders import data_root
from rc_vs_snn.errors import InputError, one_line
from rc_vs_snn.experiment.execution import Execution
from rc_vs_snn.experiment.locks import holder, locked_folder, locked_run
from rc_vs_snn.experiment.notebook import fitting_progress
from rc_vs_snn.experiment.parts import check_run
from rc_vs_snn.experiment.progress import Progress, Watch
from rc_vs_snn.experiment.running import judge_later, keep_failure, train_and_judge
from rc_vs_snn.experiment.search import Search
from rc_vs_snn.experiment.study import Study, Trial
from rc_vs_snn.records.on_valid import ACCURACY, MEAN_STEP, valid_number

MOST_TRIALS = 10_000


class Tuned(NamedTuple):
    """What a search has come to.

    Attributes:
        trials: the run of every trial that has ended, in their order; failed ones included.
        front: those that are on the Pareto front of valid accuracy and valid mean step, judged on test;
            empty while other processes are still at work.
        underway: how many trials other processes are at.
    """

    trials: records.Records
    front: records.Records
    underway: int


def tune(
    search: Search,
    out: Path | str,
    execution: Execution | None = None,
    *,
    trials: int = 20,
    progress: Progress | None = None,
) -> Tuned:
    """Try points of a search space until there are so many, then judge the best on test.

    Each trial is a run in a folder of its own, which lacks all that test would tell. The study lies beside
    them: the same call goes on where it was, takes over trials whose process has ended, and several
    processes may work on one study at a time. A trial that cannot be trained is kept as failed.

    Args:
        search: what is searched.
        out: folder of the study and of the trials' run folders.
        execution: device, threads, data root.
        trials: how many there are to be in the end.
        progress: shows what is going on.

    Returns:
        The trials, and those of the front as finished runs.

    Raises:
        InputError: anything faulty that is not of one trial alone, or ``out`` holds something else.
    """
    if not 1 <= trials <= MOST_TRIALS:
        raise InputError(f"trials must be 1 to {MOST_TRIALS}, got {trials}")
    execution = execution or Execution()
    execution = replace(execution, data_root=data_root(execution.data_root))
    out = Path(out).absolute()
    check_run(search.base, execution)
    with locked_folder(out):
        study = Study(search, out)
    shown = progress or fitting_progress()
    ended = sum(trial.state != "running" for trial in study.trials())
    with shown.session([search.base] * max(trials, ended), [search.base] * max(trials - ended, 0)):
        while True:
            with _taken(study, search, out, trials) as trial:
                if trial is None:
                    break
                _try(study, search, trial, out, execution, shown)
    return _ended(study, search, out, execution)


@contextlib.contextmanager
def _taken(study: Study, search: Search, out: Path, trials: int) -> Iterator[Trial | None]:
    """Hold the run of a trial whose process has ended, or of a new one; None if there are enough."""
    with contextlib.ExitStack() as held:
        with locked_folder(out):  # so that no two processes take one
            known = study.trials()
            trial = next(
                (
                    each
                    for each in known
                    if each.state == "running" and holder(_folder(search, each, out)) is None
                ),
                None,
            )
            if trial is None and len(known) < trials:
                trial = study.ask()
            if trial is not None:
                held.enter_context(locked_run(_folder(search, trial, out)))
        yield trial


def _folder(search: Search, trial: Trial, out: Path) -> Path:
    return out / search.config(trial.number, trial.drawn).folder_name


def _try(
    study: Study, search: Search, trial: Trial, out: Path, execution: Execution, shown: Progress
) -> None:
    config = search.config(trial.number, trial.drawn)
    folder = out / config.folder_name
    record = _made_before(config, folder)
    if record is None or record.status == "failed":
        with shown.watching(config, folder) as watch:
            record = _trained(config, folder, execution, watch, trial.number)
    values = [valid_number(record, name) for name in (ACCURACY, MEAN_STEP)]
    study.tell(trial.number, None if record.status == "failed" else values)
    shown.finished(record)


def _trained(
    config: RunConfig, folder: Path, execution: Execution, watch: Watch, number: int
) -> records.Record:
    started, epochs = time.time(), list[dict[str, Any]]()

    def keep(entry: dict[str, Any]) -> None:
        epochs.append(entry)
        watch.epoch(entry)

    try:
        return train_and_judge(
            config,
            folder,
            execution,
            replace=True,
            report=watch.batch,
            on_epoch=keep,
            order=number,
            test=False,
        )
    except Exception as error:  # what a model of these settings, or a plug-in, raises
        reason = str(error) if isinstance(error, InputError) else one_line(error)
        return keep_failure(config, folder, execution, epochs, started, reason)


def _made_before(config: RunConfig, folder: Path) -> records.Record | None:
    """Return the run that is there already, of a process that ended before it could tell of it.

    Raises:
        InputError: another run is there.
    """
    if not folder.exists():
        return None
    record = records.read_record(folder)
    changed = list(differences(record.config, config.to_table()))
    if changed:
        raise InputError(f"{folder} holds another run ({'; '.join(changed[:3])}); choose another --out")
    return record


def _ended(study: Study, search: Search, out: Path, execution: Execution) -> Tuned:
    """Return what there is, and once all trials have ended read test for those on the front."""
    known = study.trials()
    ended = [trial for trial in known if trial.state != "running"]
    underway = len(known) - len(ended)
    found = records.Records(records.read_record(_folder(search, trial, out)) for trial in ended)
    front = records.Records()
    for place in [] if underway else front_of(found):
        if found[place].status != "done":
            config, folder = search.config(ended[place].number, ended[place].drawn), found[place].folder
            with locked_run(folder):
                found[place] = judge_later(config, folder, execution)
        front.append(found[place])
    return Tuned(found, front, underway)
