"""What others published for MNIST with temporal coding: anchors, marked as such, never mixed with our runs.

``checked`` tells how far a number may be trusted: "source" where the paper's abstract or the authors'
own repository was read for it, "literature" where it is quoted as other papers cite it and was not read
in the original.
"""

from dataclasses import dataclass
from typing import Literal

Family = Literal["conv", "fully connected"]


@dataclass(frozen=True)
class Published:
    """One published test accuracy on MNIST.

    Attributes:
        name: the method.
        family: the kind of network.
        network: its layers, as the source writes them.
        accuracy_percent: test accuracy, per cent.
        source: where it is from.
        checked: "source" or "literature"; see above.
        note: what a reader needs to know to compare it.
    """

    name: str
    family: Family
    network: str
    accuracy_percent: float
    source: str
    checked: Literal["source", "literature"]
    note: str = ""


PUBLISHED = (
    Published(
        "RC-LSTM (Jeffares et al.)", "fully connected", "LSTM", 99.19, "arXiv 2110.02865", "source",
        "after the first input step",
    ),
    Published("Parallel TTFS", "conv", "-", 99.51, "2024/25", "source"),
    Published("ETTFS", "conv", "-", 99.48, "2024/25", "source"),
    Published(
        "BPTC+NOSO", "conv", "12C5-2MP-64C5-2MP-10", 99.01, "repository dooseokjeong/BPTC-NOSO", "source"
    ),
    Published("Zhang et al. (ReL-PSP)", "conv", "-", 99.4, "arXiv 2003.11837", "literature"),
    Published("Zhou et al.", "conv", "-", 99.33, "-", "literature"),
    Published(
        "S4NN", "fully connected", "784-400-10", 97.4, "arXiv 1910.09495", "source",
        "released weights under its own rule, ties counted as right: 96.69",
    ),
    Published("BS4NN", "fully connected", "-", 97.0, "-", "source"),
    Published(
        "Göltz et al.", "fully connected", "784-350-10", 97.01, "the authors' stored run", "source",
        "mean decision 0.477 synaptic time constants",
    ),
    Published(
        "BPTC+NOSO", "fully connected", "784-400-10", 98.09, "repository dooseokjeong/BPTC-NOSO", "source"
    ),
    Published("Mostafa", "fully connected", "-", 97.55, "-", "literature"),
    Published("Comsa et al.", "fully connected", "784-340-10", 97.96, "arXiv 1907.13223", "literature"),
    Published("Zhang et al. (ReL-PSP)", "fully connected", "-", 98.5, "arXiv 2003.11837", "literature"),
)  # fmt: skip
