"""One loop for every model, and what it minimises."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "loop": ["Task", "TrainingDivergedError", "train", "validate"],
        "objectives": ["EveryStep", "LastStep", "Objective", "RankCoding", "output_entropy"],
    },
)
