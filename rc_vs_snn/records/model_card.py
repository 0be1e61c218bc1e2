"""The card of a trained model, written from its records."""

from collections.abc import Mapping
from typing import Any

from rc_vs_snn.records.reading import Record

EVIDENCE = {
    "probability": "class probability",
    "sigmoid": "sigmoid of each class's logit",
    "membrane": "output membrane potential",
}


def model_card(record: Record) -> str:
    """Return a model card in Markdown: what it is, how good, how made, what for.

    Args:
        record: the model folder's; its metrics are those of the exported weights on test, and ``export`` in
            its provenance tells how they validate and in what precision they are stored.
    """
    metrics, origin, config = record.metrics, record.provenance, record.config
    export = origin["export"]
    evidence = EVIDENCE.get(metrics["evidence"], f"`{metrics['evidence']}`")
    rows = {
        "accuracy, all samples": _percent(metrics["accuracy"]),
        f"mean decision step (0-based, T = {metrics['n_steps']})": f"{metrics['mean_step']:.3f}",
        "forced at the last step": _percent(metrics["forced"]),
        "accuracy, all read at step 0": _percent(metrics["accuracy_forced_at_step0"]),
        "accuracy of those decided at step 0": _percent(metrics["accuracy_decided_at_step0"]),
        "their share": _percent(metrics["share_decided_at_step0"]),
        "validation accuracy": _percent(export["valid_accuracy"]),
    }
    kinds = ("dataset", "augmentation", "encoder", "model", "objective", "rule", "training")
    made = [
        f"`{origin.get('command', 'unknown')}`, seed {record.seed}",
        _code(origin),
        f"{metrics['train_seconds']:.0f} s on {origin.get('threads', 'unknown')} thread(s) of "
        f"{origin.get('hardware', {}).get('cpu', 'unknown')}",
    ]
    paragraphs = [
        f"# {record.label}",
        f"A `{config['model']['name']}` with {metrics['parameters']:,} parameters, trained on "
        f"`{config['dataset']['name']}`. Its evidence is the {evidence}.",
        _table("test split, judged with the weights in this folder", rows),
        _table("setting", {kind: _spell(config[kind]) for kind in kinds if kind in config}),
        f"Made by {'; '.join(made)}. Weights: safetensors, {export['weights']}; judged by {_code(export)}.",
        "For research on early decisions in temporally coded input. It knows the data above, in the code "
        "above, and nothing else: anything else it decides wrongly, and may decide confidently.",
    ]
    return "\n\n".join(paragraphs) + "\n"


def _code(origin: Mapping[str, Any]) -> str:
    code = origin.get("code", {})
    return f"version {code.get('version', 'unknown')}, commit {str(code.get('commit', 'unknown'))[:10]}"


def _table(title: str, rows: dict[str, str]) -> str:
    return "\n".join(
        [f"| {title} | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows.items())]
    )


def _spell(part: dict) -> str:
    options = ", ".join(f"{key} = {value}" for key, value in part.items() if key != "name")
    return ": ".join(filter(None, (part.get("name", ""), options)))


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
