from .loop import train, validate
from .objectives import Aligned, Cumulative, EveryStep, LastStep, Objective, RankCoding, output_entropy
from .task import Task

__all__ = [
    "Aligned",
    "Cumulative",
    "EveryStep",
    "LastStep",
    "Objective",
    "RankCoding",
    "Task",
    "output_entropy",
    "train",
    "validate",
]
