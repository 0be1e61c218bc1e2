"""Statistics of finished runs: curves and areas, calibration, intervals, tests, energy, two models compared.

Reads records, imports no torch. Formulas and sources: docs/statistics.md.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
