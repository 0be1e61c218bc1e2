"""The command that tells what is registered."""

import inspect

from rc_vs_snn import registry
from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.experiment.comparison import load_preset
from rc_vs_snn.experiment.comparison_files import preset_names, preset_summary

KINDS = {f"{kind}s": known for kind, known in registry.KINDS.items()}


def list_registered(kind: str | None = None, name: str | None = None, /) -> None:
    """List datasets, augmentations, encoders, models, evidence, rules, objectives, metrics, figures, presets.

    Plug-ins included; with a name, its options.

    Args:
        kind: one of these kinds (default: all).
        name: one of them: show its options, or a preset's models.
    """
    kinds = [*KINDS, "presets"]
    if kind is not None and kind not in kinds:
        raise InputError(f"unknown kind '{kind}'; {did_you_mean(kind, kinds)}")
    if kind is not None and name is not None:
        _list_one(kind, name)
        return
    for each in [kind] if kind else kinds:
        if kind is None:
            print(f"{each}:")
        for entry, summary in _entries(each):
            print(f"  {entry:<28} {summary}")


def _entries(kind: str) -> list[tuple[str, str]]:
    if kind == "presets":
        return [(name, preset_summary(name)) for name in preset_names()]
    known = KINDS[kind]
    entries = [(name, known.summary(name)) for name in known.names()]
    return entries + [(name, f"(failed to load: {why})") for name, why in known.broken().items()]


def _list_one(kind: str, name: str) -> None:
    if kind == "presets":
        found = load_preset(name)
        print(preset_summary(name))
        print("\nmodels:")
        for run in found.runs:
            print(f"  {run.label}")
        return
    known = KINDS[kind]
    print(inspect.getdoc(known.get(name)) or "")
    print("\noptions:")
    for parameter in known.options(name).values():
        print(f"  {parameter}")
