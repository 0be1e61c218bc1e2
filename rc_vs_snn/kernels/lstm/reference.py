"""The LSTM as its paper writes it, in NumPy: what the cell and the compiled run are held against.

    i, f, g, o = W x + b + U h        gates, before their nonlinearity
    c' = sigmoid(f) c + sigmoid(i) tanh(g)
    h' = sigmoid(o) tanh(c')

Source: Hochreiter and Schmidhuber 1997; forget gate of Gers et al. 2000.
"""

import numpy as np


def step(
    x: np.ndarray, h: np.ndarray, c: np.ndarray, weight: np.ndarray, bias: np.ndarray, recurrent: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the new ``(h, c)``, ``(B, H)`` each.

    Args:
        x: input ``(B, C)``.
        h: output at the step before ``(B, H)``.
        c: cells at the step before ``(B, H)``.
        weight: ``(4H, C)``, gates in the order i, f, g, o.
        bias: ``(4H,)``.
        recurrent: ``(4H, H)``.
    """
    i, f, g, o = np.split(x @ weight.T + bias + h @ recurrent.T, 4, axis=1)
    c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
    return _sigmoid(o) * np.tanh(c), c


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))
