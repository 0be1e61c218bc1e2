"""Single samples, drawn: what a model had seen of them when it decided. Reads records and their corpus."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
