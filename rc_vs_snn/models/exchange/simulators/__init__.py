"""Graphs in other simulators: as their own readers read them, and with what the readers lose put right."""

from rc_vs_snn.errors import InputError, did_you_mean
from rc_vs_snn.models.exchange.simulators import norse, snntorch, spikingjelly
from rc_vs_snn.models.exchange.simulators.running import Lost, Simulation, Simulator

SIMULATORS: dict[str, Simulator] = {
    each.name: each for each in (norse.NORSE, snntorch.SNNTORCH, spikingjelly.SPIKINGJELLY)
}


def simulator(name: str) -> Simulator:
    """Return a simulator by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in SIMULATORS:
        raise InputError(f"there is no simulator '{name}'; {did_you_mean(name, list(SIMULATORS))}")
    return SIMULATORS[name]


__all__ = ["SIMULATORS", "Lost", "Simulation", "Simulator", "simulator"]
