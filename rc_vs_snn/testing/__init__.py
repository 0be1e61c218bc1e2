"""Conformance suite for plug-ins: what every one must do, built-in or not.

Each check raises AssertionError with a sentence that says what was wrong and how to mend it::

    from rc_vs_snn.testing import check_encoder

    def test_my_encoder() -> None:
        check_encoder(MyEncoder(n_steps=5))
"""

from rc_vs_snn.testing.datasets import check_dataset
from rc_vs_snn.testing.encoders import check_encoder
from rc_vs_snn.testing.exits import check_evidence, check_rule
from rc_vs_snn.testing.judging import check_figure, check_metric, check_objective
from rc_vs_snn.testing.models import check_model

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
