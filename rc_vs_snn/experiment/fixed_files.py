"""A net in whole numbers as plain files, ``fixed.json`` and ``fixed.safetensors``.

What they hold is told in docs/take_a_net_elsewhere.md.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rc_vs_snn import registry
from rc_vs_snn.config import RunConfig
from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.errors import InputError, one_line
from rc_vs_snn.experiment.parts import build_part
from rc_vs_snn.kernels.fixed.reference import Arithmetic
from rc_vs_snn.models.fixed_point import FixedPointNet, Widths
from rc_vs_snn.models.layers.conv import Stage
from rc_vs_snn.models.layers.fixed import Block, narrow
from rc_vs_snn.records import read_weights, write_json, write_weights
from rc_vs_snn.records.checking import checksum

TABLE, NUMBERS = "fixed.json", "fixed.safetensors"
FORMAT, VERSION = "rc-vs-snn net in whole numbers", 1
OF_ALL = ("weight", "bias", "shift", "decay", "threshold")
OF_SOME = ("current_decay", "recurrent")


@dataclass(frozen=True, eq=False)
class FixedFile:
    """What the two files hold.

    Attributes:
        config: of the run: which data, code and rule it is judged with.
        layout: shape of the input channels.
        n_classes: number of classes K.
        evidence: what the rule reads of the readout, unless it brings its own.
        widths: see there.
        blocks: the layers of a spiking net.
        weights: of any other net, see ``whole_weights``.
        rule: the thresholds of every step.
        origin: the run, how it compares on valid, and by which code it was made.
    """

    config: RunConfig
    layout: tuple[int, ...]
    n_classes: int
    evidence: EvidenceKind
    widths: Widths
    blocks: Sequence[Block]
    weights: Mapping[str, np.ndarray]
    rule: Mapping[str, Any]
    origin: Mapping[str, Any]

    @property
    def told(self) -> str:
        """The widths in words."""
        weights, neurons = f"{self.widths.weight_bits}-bit weights", self.widths.arithmetic
        rounded = ", rounded towards zero" if neurons.rounding == "zero" else ""
        return f"{weights}, {neurons.membrane_bits}-bit membranes{rounded}" if self.blocks else weights

    @property
    def suffix(self) -> str:
        """The widths in a folder's name."""
        weights, neurons = f"w{self.widths.weight_bits}", self.widths.arithmetic
        rounded = "-zero" if neurons.rounding == "zero" else ""
        return f"{weights}m{neurons.membrane_bits}{rounded}" if self.blocks else weights

    @property
    def label(self) -> str:
        """The name of what is judged."""
        return f"{self.config.label}, {self.told}"

    def build(self) -> nn.Module:
        """Return the model, in eval mode."""
        if self.blocks:
            return FixedPointNet(self.blocks, self.widths.arithmetic, self.evidence).eval()
        context = {"layout": self.layout, "n_classes": self.n_classes}
        model: nn.Module = build_part(registry.models, self.config.model, **context)
        state = {}
        for name, value in self.weights.items():
            if name.endswith(".exponent"):
                continue
            exponent = self.weights.get(f"{name}.exponent")
            scale = 1.0 if exponent is None else 2.0 ** exponent.reshape(-1, *[1] * (value.ndim - 1))
            state[name] = torch.from_numpy(np.asarray(value / scale))
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            raise InputError(f"{NUMBERS} is of another network than {TABLE}; export it again") from error
        return model.eval()


def write_fixed(folder: Path, file: FixedFile) -> None:
    """Write both files into a folder."""
    arrays: dict[str, np.ndarray] = {}
    layers = []
    for block in file.blocks:
        there = {name: getattr(block, name) for name in (*OF_ALL, *OF_SOME)}
        arrays |= {f"{block.name}.{name}": narrow(each) for name, each in there.items() if each is not None}
        stage = None if block.stage is None else asdict(block.stage)
        layers.append(
            {
                "name": block.name, "shape": list(block.shape), "reset": block.reset,
                "exponent": block.exponent,
                "accumulator_bits": block.accumulator_bits, "convolution": stage,
            }
        )  # fmt: skip
    for name, value in file.weights.items():
        arrays[name] = value if value.dtype.kind == "f" else narrow(value)
    write_weights(folder / NUMBERS, arrays)
    table = {
        "format": FORMAT, "version": VERSION, "label": file.label, "weight_bits": file.widths.weight_bits,
        **(file.widths.arithmetic._asdict() if file.blocks else {}),
        "layout": list(file.layout), "n_classes": file.n_classes, "evidence": file.evidence, "layers": layers,
        "rule": file.rule, "config": file.config.to_table(), "origin": file.origin,
        "sha256": checksum(folder / NUMBERS),
    }  # fmt: skip
    write_json(folder / TABLE, table)


def read_fixed(folder: Path | str) -> FixedFile:
    """Read what ``export --format fixed`` wrote.

    Raises:
        InputError: no such folder, or files that are not what was written.
    """
    path = Path(folder) / TABLE
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from error
    if not isinstance(table, dict) or table.get("format") != FORMAT or table.get("version") != VERSION:
        raise InputError(f"{path} is no net in whole numbers of version {VERSION}; export it again")
    numbers = path.with_name(NUMBERS)
    arrays = read_weights(numbers)
    if checksum(numbers) != table.get("sha256"):
        raise InputError(f"{numbers} is not the file that {TABLE} was written with; export it again")
    try:
        return _file(table, arrays)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} was changed ({one_line(error)}); export it again") from error


def _file(table: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> FixedFile:
    given = {name: table[name] for name in Arithmetic._fields if name in table}
    blocks = [_block(layer, arrays) for layer in table["layers"]]
    return FixedFile(
        RunConfig.from_table(table["config"]), tuple(table["layout"]), table["n_classes"], table["evidence"],
        Widths(table["weight_bits"], Arithmetic(**given)), blocks, {} if blocks else arrays, table["rule"],
        table["origin"],
    )  # fmt: skip


def _block(layer: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Block:
    name, stage = layer["name"], layer["convolution"]
    if stage is not None:
        stage = Stage(tuple(stage["inputs"]), stage["maps"], tuple(stage["kernel"]), stage["stride"])
    return Block(
        name=name, reset=layer["reset"], exponent=layer["exponent"], stage=stage,
        **{each: arrays[f"{name}.{each}"] for each in OF_ALL},
        current_decay=arrays.get(f"{name}.current_decay"), recurrent=arrays.get(f"{name}.recurrent"),
    )  # fmt: skip
