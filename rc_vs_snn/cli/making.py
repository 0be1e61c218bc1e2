"""Commands that make runs. Each imports what it needs when it runs."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from rc_vs_snn.cli.options import (
    DRAWING,
    ENGINE,
    EXECUTION,
    SOURCE,
    Drawing,
    Executed,
    Grid,
    Names,
    Settings,
    Source,
    Spread,
    draw,
    draw_finished,
    exit_code,
    shown,
)
from rc_vs_snn.errors import InputError

WHOLE = re.compile("0|[1-9][0-9]{0,18}")

Pretrained = Annotated[list[Path] | None, Parameter(consume_multiple=(0, 1))]


def compare(
    *,
    source: Source = SOURCE,
    grid: Grid = (),
    seeds: str | None = None,
    match_parameters: bool = False,
    jobs: int = 1,
    engine: Spread = ENGINE,
    overwrite: bool = False,
    pretrained: Pretrained = None,
    tensorboard: Path | None = None,
    out: Path | None = None,
    drawing: Drawing = DRAWING,
    execution: Executed = EXECUTION,
) -> int:
    """Train every model of a comparison, judge them alike, draw the figures.

    Finished runs are not repeated: the same command resumes an interrupted comparison.

    Args:
        source: which comparison.
        grid: KEY=VALUE,VALUE: run every model at each value of a setting (encoder.n_steps=5,10,20), and of
            several at every combination; repeatable.
        seeds: several base seeds, such as 0,1,2.
        match_parameters: size later models to the first one's.
        jobs: runs trained side by side.
        engine: what they are spread with.
        overwrite: replace run folders of another configuration.
        pretrained: train nothing: judge the trained models of a folder (default: the checkout's models/).
        tensorboard: write what TensorBoard shows of trainings below this folder (extra "tensorboard").
        out: folder of the run folders (default: runs/<preset>).
        drawing: how figures look.
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment import compare
    from rc_vs_snn.experiment.pretrained import default_folder, find_pretrained, judge_pretrained

    options = drawing.options()
    if pretrained is not None:
        given = {
            "--preset": source.preset, "--config": source.config, "--set": source.settings,
            "--grid": grid, "--seed": source.seed is not None, "--seeds": seeds is not None,
            "--match-parameters": match_parameters, "--tensorboard": tensorboard is not None,
            "--shard": engine.shard is not None,
        }  # fmt: skip
        ignored = [option for option, value in given.items() if value]
        if ignored:
            raise InputError(f"--pretrained trains nothing: leave out {', '.join(ignored)}")
        kept = find_pretrained(pretrained[0] if pretrained else default_folder())
        out = out or Path("runs") / "pretrained"
        judged = judge_pretrained(kept, out, execution, jobs=jobs, engine=engine)
        draw(judged, out / "figures", options=options)
        return 0
    comparison = source.comparison(grid)
    if seeds is not None:
        if source.seed is not None:
            raise InputError("give either --seed or --seeds")
        comparison = comparison.with_seeds(*_whole_numbers(seeds))
    if match_parameters:
        comparison = replace(comparison, match_parameters=True)
    out = out or Path("runs") / comparison.name
    progress = shown(tensorboard, below=out)
    found = compare(
        comparison, out, execution, jobs=jobs, engine=engine, overwrite=overwrite, progress=progress
    )
    if engine.shard is None:
        draw_finished(found, out / "figures", options)
    return exit_code(found)


def reproduce(
    plan: str,
    /,
    *,
    only: Names = (),
    settings: Settings = (),
    jobs: int = 1,
    engine: Spread = ENGINE,
    overwrite: bool = False,
    tensorboard: Path | None = None,
    out: Path | None = None,
    drawing: Drawing = DRAWING,
    execution: Executed = EXECUTION,
) -> int:
    """Run a whole plan of comparisons over several seeds and report.

    Writes figures, tables and a report. Finished runs are not repeated: the same command resumes.

    Args:
        plan: name of the plan, such as mnist.
        only: a part by its preset; repeatable.
        settings: KEY=VALUE: change a setting of every part; repeatable.
        jobs: runs trained side by side.
        engine: what they are spread with.
        overwrite: replace run folders of another configuration.
        tensorboard: write what TensorBoard shows of trainings below this folder (extra "tensorboard").
        out: folder of the parts (default: runs/reproduce-<plan>).
        drawing: how figures look.
        execution: how runs are executed.
    """
    from rc_vs_snn.analysis.report import write_report
    from rc_vs_snn.experiment.plan import load_reproduction, reproduce

    options = drawing.options()
    loaded = load_reproduction(plan, only, settings)
    out = out or Path("runs") / f"reproduce-{plan}"
    progress = shown(tensorboard, below=out)
    found = reproduce(
        loaded.parts, out, execution, jobs=jobs, engine=engine, overwrite=overwrite, progress=progress
    )
    every = [record for records in found.values() for record in records]
    if engine.shard is not None:
        return exit_code(every)
    for name, records in found.items():
        draw_finished(records, out / name / "figures", options)
    titled = {part.title: found[part.comparison.name] for part in loaded.parts}
    print(write_report(titled, out, loaded.published))
    return exit_code(every)


def train(
    *,
    source: Source = SOURCE,
    model: str | None = None,
    overwrite: bool = False,
    tensorboard: Path | None = None,
    out: Path | None = None,
    execution: Executed = EXECUTION,
) -> int:
    """Train and judge one model of a preset or file, in a run folder of its own.

    A finished run of the same configuration is not repeated.

    Args:
        source: which comparison.
        model: label of the model (default: the first).
        overwrite: replace a run folder of another configuration.
        tensorboard: write what TensorBoard shows of the training below this folder (extra "tensorboard").
        out: the run folder to make (default: runs/<label>-seed<seed>).
        execution: how runs are executed.
    """
    from rc_vs_snn.experiment.execute import execute
    from rc_vs_snn.experiment.planning import PlannedRun

    config = source.of_model(model)
    folder = out or Path("runs") / config.folder_name
    progress = shown(tensorboard)
    found = execute([PlannedRun(config, folder)], execution, overwrite=overwrite, progress=progress)
    print(folder)
    return exit_code(found)


def _whole_numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(WHOLE.fullmatch(part) for part in parts):  # int() would take 012 and 1_2, too
        raise InputError(f"seeds must be whole numbers such as 0,1,2, got '{text}'")
    return [int(part) for part in parts]
