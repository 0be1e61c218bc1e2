"""Elementwise arithmetic that the compiled loops of training, inference and streaming share, in float32."""

from typing import Any

import numpy as np
from numba.extending import intrinsic

from rc_vs_snn.kernels.compiling import compiled


def _fma(typing_context, a, b, c):  # type: ignore[no-untyped-def]
    """Return a · b + c, rounded once.

    Written out, because a compiler may round a product on its own in one loop and not in the next.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return a(a, a, a), generate


fma: Any = intrinsic(_fma)


@compiled(error_model="numpy")
def tanh(x):  # type: ignore[no-untyped-def]
    """Return tanh of a float32."""
    # Eigen's rational fit (``generic_fast_tanh_float``): within 4e-7 of tanh, and unlike the library
    # call it is plain arithmetic that the compiler turns into vector instructions.
    x = min(max(x, np.float32(-7.90531110763549805)), np.float32(7.90531110763549805))
    y = x * x
    p = fma(np.float32(-2.76076847742355e-16), y, np.float32(2.00018790482477e-13))
    p = fma(p, y, np.float32(-8.60467152213735e-11))
    p = fma(p, y, np.float32(5.12229709037114e-08))
    p = fma(p, y, np.float32(1.48572235717979e-05))
    p = fma(p, y, np.float32(6.37261928875436e-04))
    p = fma(p, y, np.float32(4.89352455891786e-03))
    q = fma(np.float32(1.19825839466702e-06), y, np.float32(1.18534705686654e-04))
    q = fma(q, y, np.float32(2.26843463243900e-03))
    q = fma(q, y, np.float32(4.89352518554385e-03))
    return x * p / q


@compiled(error_model="numpy")
def sigmoid(x):  # type: ignore[no-untyped-def]
    """Return the logistic function of a float32."""
    return np.float32(0.5) + np.float32(0.5) * tanh(np.float32(0.5) * x)
