from .loop import Task, TrainingDivergedError, train, validate
from .objectives import EveryStep, LastStep, Objective, RankCoding, output_entropy

__all__ = [
    "EveryStep",
    "LastStep",
    "Objective",
    "RankCoding",
    "Task",
    "TrainingDivergedError",
    "output_entropy",
    "train",
    "validate",
]
