"""The command that searches."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rc_vs_snn.cli.options import DRAWING, EXECUTION, SOURCE, Drawing, Executed, Source, labelled, shown
from rc_vs_snn.errors import InputError

Searched = Annotated[Sequence[str], Parameter(name="--search", show_default=False)]


def tune(
    *,
    source: Source = SOURCE,
    search: Searched = (),
    model: str | None = None,
    trials: int = 20,
    tensorboard: Path | None = None,
    out: Path | None = None,
    drawing: Drawing = DRAWING,
    execution: Executed = EXECUTION,
) -> int:
    """Search settings of one model for accuracy and early decisions on valid (extra "tune").

    Each trial is a run folder. Test is read at the end, for the trials on the Pareto front alone. The same
    command goes on where it was; given several times at once, it shares the work.

    Args:
        source: which comparison; its file may say under [search] what is searched.
        search: KEY=VALUE,VALUE or KEY={from=LOW,to=HIGH,log=true}: a setting and its choices or its range;
            repeatable.
        model: label of the model (default: the first).
        trials: how many there are to be in the end.
        tensorboard: write what TensorBoard shows of trainings below this folder (extra "tensorboard").
        out: folder of the trials and of the study (default: runs/tune-<preset>).
        drawing: how figures look.
        execution: how runs are executed.
    """
    from rc_vs_snn.analysis.search import write_search
    from rc_vs_snn.experiment.search import search_of
    from rc_vs_snn.experiment.tuning import tune

    options = drawing.options()
    comparison = source.comparison()
    if comparison.match_parameters or len(comparison.seeds) > 1:
        raise InputError(
            "a search trains every trial once, as it is drawn: give one seed, no match_parameters"
        )
    space = search_of(labelled(comparison, model), comparison.search, search)
    out = out or Path("runs") / f"tune-{comparison.name}"
    progress = shown(tensorboard, below=out)
    found = tune(space, out, execution, trials=trials, progress=progress)
    written = write_search(
        found.trials, found.front, [each.key for each in space.space], out / "figures", options
    )
    for path in written:
        if path.suffix == ".md":
            print(path.read_text(encoding="utf-8"))
    for path in written:
        print(path)
    if found.underway:
        print(
            f"rc-vs-snn: {found.underway} trials are still underway elsewhere; test is read after them",
            file=sys.stderr,
        )
    return 0 if written else 1
