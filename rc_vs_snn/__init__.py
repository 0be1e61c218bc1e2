"""Rank-coded recurrent networks and rank-coded spiking networks under one encoding and one decision rule.

The public names stand in ``__init__.pyi`` and are loaded on first use, so that importing the package costs
nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
