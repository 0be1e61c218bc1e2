"""Commands that draw single samples of a stored run, or of a corpus. Each imports what it needs."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from rc_vs_snn.cli.options import EXECUTION, Executed, Settings


def samples(
    run: Path, /, *, count: int = 6, out: Path | None = None, execution: Executed = EXECUTION
) -> None:
    """Draw the hardest and the earliest test samples of a run.

    Each with what had come in when it was decided.

    Args:
        run: a run folder.
        count: how many of either.
        out: where to write (default: figures/ beside the run folder).
        execution: how the run is read.
    """
    from rc_vs_snn.records import read_record
    from rc_vs_snn.showing import show_samples

    _print(show_samples(read_record(run), out, execution, count=count))


def decision(
    run: Path,
    /,
    *,
    sample: int | None = None,
    out: Path | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Draw how one test sample was decided: its input and the evidence, step by step.

    Args:
        run: a run folder, or a model folder.
        sample: id of the sample (default: the first of the test split).
        out: where to write (default: figures/ beside the run folder).
        execution: how the run is read.
    """
    from rc_vs_snn.records import read_record
    from rc_vs_snn.showing import show_decision

    _print(show_decision(read_record(run), sample, out, execution))


def encoders(
    *,
    dataset: str,
    sample: int | None = None,
    settings: Settings = (),
    out: Path | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Draw one test sample of a corpus under every encoder that takes it.

    Args:
        dataset: name of the corpus.
        sample: id of the sample (default: the first of the test split).
        settings: KEY=VALUE: an option of the corpus (dataset.problem=JapaneseVowels), of every encoder that
            has it (encoder.n_steps=20) or of one (models.rate.encoder.n_steps=20); repeatable.
        out: where to write (default: figures).
        execution: where the corpora lie.
    """
    from rc_vs_snn.showing import show_encoders

    files, left_out = show_encoders(dataset, sample, out, execution, settings=settings)
    _print(files)
    for name, why in left_out.items():
        print(f"left out: {name}: {why}")


def animation(
    run: Path,
    /,
    *,
    sample: int | None = None,
    film: Annotated[Literal["gif", "mp4"], Parameter(name="--format")] = "gif",
    steps_per_second: float | None = None,
    out: Path | None = None,
    execution: Executed = EXECUTION,
) -> None:
    """Draw one test sample as it is being decided, as a GIF or a film.

    Args:
        run: a run folder, or a model folder.
        sample: id of the sample (default: the first of the test split).
        film: mp4 needs the program ffmpeg.
        steps_per_second: pace (default: 3, or as many as are over after 12 seconds).
        out: where to write (default: figures/ beside the run folder).
        execution: how the run is read.
    """
    from rc_vs_snn.records import read_record
    from rc_vs_snn.showing import show_animation

    files = show_animation(
        read_record(run), sample, out, execution, film=film, steps_per_second=steps_per_second
    )
    _print(files)


def _print(files: list[Path]) -> None:
    for path in files:
        print(path)
