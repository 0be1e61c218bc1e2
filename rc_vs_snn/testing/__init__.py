"""Conformance suite for plug-ins: what every one must do, built-in or not.

Each check raises AssertionError with a sentence that says what was wrong and how to mend it::

    from rc_vs_snn.testing import check_encoder

    def test_my_encoder() -> None:
        check_encoder(MyEncoder(n_steps=5))
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
