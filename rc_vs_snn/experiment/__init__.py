"""Runs: what is compared, planned, trained and judged. The only room where all parts meet."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
