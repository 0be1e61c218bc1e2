"""Energy to decision: counted operations kept apart, then an estimate under a named table.

An estimate is arithmetic on counts, not a measurement. What it leaves out is printed with it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rc_vs_snn.errors import InputError, did_you_mean

SRAM_BYTES = {"8 kB SRAM": 8 * 1024, "32 kB SRAM": 32 * 1024, "1 MB SRAM": 1024 * 1024}
DRAM, UNKNOWN = "DRAM", "unknown"
MEMORY = (
    "Memory traffic: every AC and MAC reads a weight, every neuron update reads and writes a state, from the "
    "smallest memory that holds all weights: a byte is an eighth of an access of 64 bits, 10 pJ in 8 kB of "
    "SRAM, 20 pJ in 32 kB, 100 pJ in 1 MB, 1.3 nJ in DRAM (the lower end of 1.3 to 2.6)."
)
LEFT_OUT = (
    "Left out: caches, registers and any reuse of what was read, partial sums (an accumulate's read and "
    "write of its target), inputs and addresses, activation functions, control and static power."
)


@dataclass(frozen=True)
class EnergyTable:
    """What operations cost in one technology.

    Attributes:
        name: of the table.
        ac_pj: picojoules of an accumulate: one addition.
        mac_pj: of a multiply-accumulate: one multiplication and one addition.
        update_pj: of a neuron update: one multiplication of a state by its decay.
        byte_pj: of a byte read or written, by the memory it lies in.
        weight_bytes: size of a weight.
        state_bytes: size of a neuron's state.
        assumption: in words.
        source: where the numbers are from.
    """

    name: str
    ac_pj: float
    mac_pj: float
    update_pj: float
    byte_pj: Mapping[str, float]
    weight_bytes: int
    state_bytes: int
    assumption: str
    source: str

    def memory_for(self, parameters: float) -> str:
        """Return the smallest memory that holds all weights: 8 kB, 32 kB or 1 MB of SRAM, else DRAM.

        "unknown" where the number of parameters is (NaN).
        """
        size = parameters * self.weight_bytes
        if math.isnan(size):
            return UNKNOWN
        return next((name for name, held in SRAM_BYTES.items() if size <= held), DRAM)


HOROWITZ = (
    "M. Horowitz, Computing's energy problem (and what we can do about it), ISSCC 2014, pages 10-14 "
    "(45 nm, 0.9 V)"
)
# 10, 20 and 100 pJ an access of 64 bits; DRAM 1.3 to 2.6 nJ, of which the lower.
_BYTE_PJ = MappingProxyType({"8 kB SRAM": 1.25, "32 kB SRAM": 2.5, "1 MB SRAM": 12.5, DRAM: 162.5})

TABLES = MappingProxyType(
    {
        table.name: table
        for table in (
            EnergyTable(
                "float32, 45 nm", ac_pj=0.9, mac_pj=4.6, update_pj=3.7, byte_pj=_BYTE_PJ,
                weight_bytes=4, state_bytes=4,
                assumption="AC 0.9 pJ (32-bit float addition), MAC 4.6 pJ (3.7 multiplication + addition), "
                "neuron update 3.7 pJ (multiplication), weights and states of 4 bytes",
                source=HOROWITZ,
            ),
            EnergyTable(
                "int8, 45 nm", ac_pj=0.1, mac_pj=0.3, update_pj=3.1, byte_pj=_BYTE_PJ,
                weight_bytes=1, state_bytes=4,
                assumption="AC 0.1 pJ (32-bit integer addition), MAC 0.3 pJ (0.2 8-bit multiplication + "
                "32-bit addition), neuron update 3.1 pJ (32-bit integer multiplication), weights of 1 byte, "
                "states of 4",
                source=HOROWITZ,
            ),
        )
    }
)  # fmt: skip
DEFAULT = "float32, 45 nm"


@dataclass(frozen=True)
class Energy:
    """Energy of one decision under a table, in nanojoules; NaN where an operation was not counted.

    Attributes:
        table: the name of the table.
        acs_nj: of accumulates.
        macs_nj: of multiply-accumulates.
        updates_nj: of neuron updates.
        memory_nj: of memory traffic.
        traffic_bytes: bytes read and written.
        memory: where weights and states lie.
    """

    table: str
    acs_nj: float
    macs_nj: float
    updates_nj: float
    memory_nj: float
    traffic_bytes: float
    memory: str

    @property
    def operations_nj(self) -> float:
        """Of all operations, memory apart: what papers on spiking networks mostly state."""
        return self.acs_nj + self.macs_nj + self.updates_nj

    @property
    def total_nj(self) -> float:
        """Of operations and memory."""
        return self.operations_nj + self.memory_nj


def energy_to_decision(
    acs: float, macs: float, updates: float, parameters: float, table: str = DEFAULT
) -> Energy:
    """Estimate the energy of a decision from its counted operations.

    Memory traffic: a weight is read for each AC and each MAC, and a state is read and written for each neuron
    update; all of it goes to the smallest memory that holds all weights:
    ``weight_bytes (ACs + MACs) + 2 state_bytes updates``.

    Args:
        acs: mean accumulates per sample up to the decision.
        macs: mean multiply-accumulates.
        updates: mean neuron updates (the leak multiplications of the records).
        parameters: number of the model's weights.
        table: a name in ``TABLES``.

    Raises:
        InputError: an unknown table, or a count below 0.
    """
    if table not in TABLES:
        raise InputError(f"unknown energy table '{table}'; {did_you_mean(table, TABLES)}")
    counts = {"acs": acs, "macs": macs, "updates": updates, "parameters": parameters}
    for name, count in counts.items():
        if count < 0:
            raise InputError(f"{name} must be at least 0, got {count:g}")
    costs = TABLES[table]
    traffic = costs.weight_bytes * (acs + macs) + 2 * costs.state_bytes * updates
    memory = costs.memory_for(parameters)
    return Energy(
        table,
        acs_nj=acs * costs.ac_pj / 1000,
        macs_nj=macs * costs.mac_pj / 1000,
        updates_nj=updates * costs.update_pj / 1000,
        memory_nj=traffic * costs.byte_pj.get(memory, math.nan) / 1000,
        traffic_bytes=traffic,
        memory=memory,
    )
