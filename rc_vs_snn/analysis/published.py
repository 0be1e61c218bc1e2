"""What others published: anchors that a plan names, marked as such, never mixed with our runs.

They stand in the TOML files of ``published/``, one file per corpus.
"""

from dataclasses import dataclass
from typing import Literal

from rc_vs_snn.registry import packaged_table


@dataclass(frozen=True)
class PublishedResult:
    """One published test accuracy.

    Attributes:
        name: the method.
        family: the kind of network.
        accuracy_percent: test accuracy, per cent.
        checked: how far the number may be trusted: "source" where the original was read for it,
            "literature" where it is quoted as others cite it.
        network: its layers, as the source writes them.
        source: where it is from.
        note: what a reader needs to know to compare it.
    """

    name: str
    family: str
    accuracy_percent: float
    checked: Literal["source", "literature"]
    network: str = "-"
    source: str = "-"
    note: str = ""


@dataclass(frozen=True)
class Published:
    """What others published for one corpus.

    Attributes:
        results: in the order of the report.
        first_step: which of them tells an accuracy after the first step, and what of ours compares.
    """

    results: tuple[PublishedResult, ...]
    first_step: str = ""


def load_published(name: str) -> Published:
    """Return the published results in ``published/<name>.toml``.

    Raises:
        InputError: there is no such file.
    """
    table = packaged_table("published", name, "set of published results")
    return Published(
        tuple(PublishedResult(**entry) for entry in table["results"]), table.get("first_step", "")
    )
