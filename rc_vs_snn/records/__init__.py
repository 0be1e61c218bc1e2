"""Run folders: everything one run left behind, as plain files. Written whole, then renamed. No pickle."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
