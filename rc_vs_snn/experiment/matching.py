"""Models of one size: ``hidden`` chosen so that a model has as many parameters as another."""

import bisect
from collections.abc import Sequence
from dataclasses import replace

from rc_vs_snn.config import Part, RunConfig, canonical
from rc_vs_snn.contracts import Splits
from rc_vs_snn.errors import InputError
from rc_vs_snn.experiment.comparison import Comparison
from rc_vs_snn.experiment.execution import Execution, torch_settings
from rc_vs_snn.experiment.parts import assemble, count_parameters, load_splits

LARGEST = 2**16
"""Hidden units beyond which nothing is looked for."""


def match_parameters(comparison: Comparison, execution: Execution) -> Comparison:
    """Return the comparison with ``hidden`` of all models but one set to match that one's size.

    The one is the model whose label ``comparison.match_parameters`` names, else the first.

    Raises:
        InputError: a model has no ``hidden`` option, or none that makes it as large; or two models that
            differ in nothing but ``hidden`` come to one.
    """
    labels = [run.label for run in comparison.runs]
    wanted = comparison.match_parameters
    like = comparison.runs[labels.index(wanted) if isinstance(wanted, str) else 0]
    with torch_settings(execution):
        target = _parameters(like, load_splits(like, execution), execution)
        matched = [run if run is like else _match(run, target, execution) for run in comparison.runs]
    _require_different(comparison.runs, matched)
    return replace(comparison, runs=tuple(matched), match_parameters=False)


def _require_different(runs: Sequence[RunConfig], matched: Sequence[RunConfig]) -> None:
    """Raise InputError if models that were different are one now: what a grid varied is undone."""
    seen: dict[str, tuple[str, RunConfig]] = {}
    for before, after in zip(_unlabelled(runs), matched, strict=True):
        (same,) = _unlabelled([after])
        then, other = seen.setdefault(same, (before, after))
        if then != before:
            raise InputError(
                f"match_parameters makes '{other.label}' and '{after.label}' one configuration, since they "
                "differ in hidden alone; leave it out, or the axis over model.hidden"
            )


def _unlabelled(runs: Sequence[RunConfig]) -> list[str]:
    return [canonical(run.to_table() | {"label": ""}) for run in runs]


def _parameters(config: RunConfig, splits: Splits, execution: Execution) -> int:
    return count_parameters(assemble(config, splits, execution).model)


def _with_hidden(config: RunConfig, hidden: int) -> RunConfig:
    return replace(config, model=Part(config.model.name, {**config.model.options, "hidden": hidden}))


def _match(config: RunConfig, target: int, execution: Execution) -> RunConfig:
    if config.model.target is not None:
        raise InputError(f"{config.label}: only a model given by name can be matched in size")
    splits = load_splits(config, execution)

    def size(hidden: int) -> int:
        return _parameters(_with_hidden(config, hidden), splits, execution)

    high = 2
    while size(high) < target:
        high *= 2
        if high > LARGEST:
            raise InputError(
                f"{config.label}: even {LARGEST} hidden units make fewer than {target} parameters; "
                "match it with a smaller model"
            )
    enough = bisect.bisect_left(range(high), target, lo=high // 2, key=size)
    near = (max(enough - 1, 1), enough)
    return _with_hidden(config, min(near, key=lambda hidden: abs(size(hidden) - target)))
