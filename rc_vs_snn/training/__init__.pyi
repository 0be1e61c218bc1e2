from .loop import train, validate
from .objectives import EveryStep, LastStep, Objective, RankCoding, output_entropy
from .task import Task

__all__ = [
    "EveryStep",
    "LastStep",
    "Objective",
    "RankCoding",
    "Task",
    "output_entropy",
    "train",
    "validate",
]
