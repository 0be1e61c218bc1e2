"""A spiking net in whole numbers: its widths, and how it runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from rc_vs_snn.contracts import EvidenceKind
from rc_vs_snn.errors import InputError
from rc_vs_snn.kernels.fixed.reference import Arithmetic
from rc_vs_snn.models.layers.conv import Images
from rc_vs_snn.models.layers.fixed import Block, FixedNeurons, FixedSynapses
from rc_vs_snn.models.stack import Stack

DEFAULT = Arithmetic()


@dataclass(frozen=True)
class Widths:
    """How many bits there are.

    Attributes:
        weight_bits: of weights, sign included, 2..16.
        arithmetic: of the neurons: membranes of 4..24 bits, decays of 1..16.

    Raises:
        InputError: fewer or more.
    """

    weight_bits: int = 8
    arithmetic: Arithmetic = DEFAULT

    def __post_init__(self) -> None:
        given = (
            ("bits", self.weight_bits, 2, 16),
            ("membrane_bits", self.arithmetic.membrane_bits, 4, 24),
            ("decay_bits", self.arithmetic.decay_bits, 1, 16),
        )
        for name, value, least, most in given:
            if not least <= value <= most:
                raise InputError(f"{name} must lie in {least}..{most}, got {value}")


class FixedPointNet(Stack):
    """A spiking net in whole numbers; its readouts are output membranes as real numbers, exactly.

    Args:
        blocks: its layers, see ``Block``.
        arithmetic: widths and rounding of its neurons.
        evidence: what the rule reads.
    """

    def __init__(self, blocks: Sequence[Block], arithmetic: Arithmetic, evidence: EvidenceKind) -> None:
        layers: dict[str, nn.Module] = {}
        shaped = False
        for block in blocks:
            if (block.stage is not None) != shaped:  # of a convolution maps, of all else rows
                shaped = not shaped
                layers["images" if shaped else "flatten"] = (
                    Images(block.stage.inputs) if block.stage else nn.Flatten()
                )
            layers[f"{block.name}_synapses"] = FixedSynapses(block)
            layers[block.name] = FixedNeurons(block, arithmetic)
        first = blocks[0]
        layout = first.weight.shape[1:] if first.stage is None else first.stage.inputs
        super().__init__(layers, layout=layout, evidence=evidence)
