"""How a model is trained: the fields, and the range of each. Imports no torch."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.registry.values import is_number, is_whole, plain

# Epochs, and samples of a batch: more are a slip.
MOST_COUNTED = 10_000_000


@dataclass(frozen=True)
class Training:
    """How a model is trained.

    Attributes:
        epochs: passes over the training split.
        batch_size: samples per step.
        learning_rate: peak of the schedule (AdamW).
        weight_decay: AdamW's decoupled weight decay.
        schedule: "one-cycle", "cosine" or "constant", stepped per batch.
        clip_norm: largest gradient norm; 0 switches clipping off.
        patience: epochs without a better validation accuracy before stopping; 0 never stops early.
        keep: "best": the weights of the epoch with the best validation accuracy; "last": those of the last
            epoch, for a control whose objective is not what validation judges.
        ema_decay: per-batch decay of a running mean of the weights, which is what is validated and
            kept; 0 keeps the weights themselves.
        threshold_warmup: epochs over which the threshold seen by training rises from 0 to the rule's;
            an untrained model then decides at once, so the first epochs cost one step and not T.
        precision: "float32", or "bfloat16" for the products of training (quicker on processors that
            have it); validation and test always run in float32.

    Raises:
        InputError: naming every field out of its range, and the range.
    """

    epochs: int = 15
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    clip_norm: float = 1.0
    patience: int = 0
    keep: Literal["best", "last"] = "best"
    ema_decay: float = 0.0
    threshold_warmup: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        faults = []
        for name, least in (("epochs", 1), ("batch_size", 1), ("patience", 0), ("threshold_warmup", 0)):
            value = getattr(self, name)
            if not is_whole(value, least, MOST_COUNTED):
                faults.append(
                    f"training.{name} must be a whole number of at least {least} and at most {MOST_COUNTED}, "
                    f"got {value!r}"
                )
        for name, above, below in (
            ("learning_rate", True, 1e6), ("weight_decay", False, 1e6), ("clip_norm", False, 1e6),
            ("ema_decay", False, 1.0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not is_number(value, 0, below) or (above and value == 0):
                from_ = "above 0" if above else "of at least 0"
                faults.append(f"training.{name} must be a number {from_} and below {below:g}, got {value!r}")
        choices = {
            "schedule": ("one-cycle", "cosine", "constant"),
            "keep": ("best", "last"),
            "precision": ("float32", "bfloat16"),
        }
        for name, allowed in choices.items():
            value = getattr(self, name)
            if not isinstance(value, str) or value not in allowed:
                faults.append(f"unknown training.{name} {value!r}; {did_you_mean(str(value), allowed)}")
        if faults:
            raise InputError("; ".join(faults))
        for name, value in vars(self).items():  # NumPy's numbers as Python's, which files hold
            object.__setattr__(self, name, plain(value, name))

    def to_table(self) -> dict[str, Any]:
        """Return the fields by name, without ``keep`` at its default: runs from before it have none."""
        table = dataclasses.asdict(self)
        return table if self.keep != "best" else {key: table[key] for key in table if key != "keep"}


def training_from(table: Any) -> Training:
    """Build from plain values; unknown keys are named with the nearest allowed one."""
    if not isinstance(table, Mapping):
        raise InputError(f"training must be a table such as {{ epochs = 3 }}, got {table!r}")
    allowed = [entry.name for entry in dataclasses.fields(Training)]
    unknown = [str(key) for key in table if key not in allowed]
    if unknown:
        raise InputError(
            "; ".join(f"unknown key 'training.{key}'; {did_you_mean(key, allowed)}" for key in unknown)
        )
    return Training(**table)
