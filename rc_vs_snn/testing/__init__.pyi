from .datasets import check_dataset
from .encoders import check_encoder
from .exits import check_evidence, check_rule
from .judging import check_figure, check_metric, check_objective
from .models import check_model

__all__ = [
    "check_dataset",
    "check_encoder",
    "check_evidence",
    "check_figure",
    "check_metric",
    "check_model",
    "check_objective",
    "check_rule",
]
