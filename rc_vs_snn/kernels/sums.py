"""Sums over synapses whose order is fixed: a row's result depends on that row alone, to the last bit.

Every sum goes on from what ``into`` holds and takes one fused multiply-add per source, in ascending
order. So it does not matter which other rows are in the batch, nor whether sources at 0 are left out:
a product over spikes and the dense product are equal to the bit, and so are a full trace and a run
that drops decided rows. No flag lets the compiler reorder.

Synapses lie by source: row j holds all weights that leave input j.
"""

import numpy as np

from rc_vs_snn.kernels.compiling import compiled
from rc_vs_snn.kernels.elementwise import fma

ROWS, COLUMNS = 24, 1024
"""The block of a product: of 256 targets, 24 rows of sums and 4 of synapses lie in the first-level cache."""
BLOCK = 256
"""Rows of a gradient that all sources read before the next: they stay in the second-level cache."""


@compiled(error_model="numpy")
def add_rows(source, begin, end, synapses, into):  # type: ignore[no-untyped-def]
    """Add the synapses of the spikes ``source[begin:end]``, ``(in, out)`` each of value 1, to ``(out,)``."""
    at = begin
    while at + 4 <= end:  # four at a time: the sums are read and written a quarter as often
        a, b = synapses[source[at]], synapses[source[at + 1]]
        c, d = synapses[source[at + 2]], synapses[source[at + 3]]
        for n in range(len(into)):
            into[n] = into[n] + a[n] + b[n] + c[n] + d[n]
        at += 4
    for rest in range(at, end):
        a = synapses[source[rest]]
        for n in range(len(into)):
            into[n] += a[n]


@compiled(error_model="numpy")
def add_entries(source, value, begin, end, synapses, into):  # type: ignore[no-untyped-def]
    """Like ``add_rows``, with a value for each source."""
    at = begin
    while at + 4 <= end:
        a, b = synapses[source[at]], synapses[source[at + 1]]
        c, d = synapses[source[at + 2]], synapses[source[at + 3]]
        p, q, r, s = value[at], value[at + 1], value[at + 2], value[at + 3]
        for n in range(len(into)):
            into[n] = fma(s, d[n], fma(r, c[n], fma(q, b[n], fma(p, a[n], into[n]))))
        at += 4
    for rest in range(at, end):
        a, p = synapses[source[rest]], value[rest]
        for n in range(len(into)):
            into[n] = fma(p, a[n], into[n])


@compiled(error_model="numpy")
def add_product(x, synapses, into):  # type: ignore[no-untyped-def]
    """Add ``x @ synapses``, ``(rows, in)`` times ``(in, out)``, to ``into`` ``(rows, out)``."""
    n_sources, width = synapses.shape
    whole, even = n_sources - n_sources % 4, len(x) - len(x) % 2
    for low in range(0, width, COLUMNS):
        high = min(low + COLUMNS, width)
        for first in range(0, even, ROWS):
            last = min(first + ROWS, even)
            for j in range(0, whole, 4):
                _add_four(x, synapses, into, j, first, last, low, high)
            for j in range(whole, n_sources):
                _add_one(x, synapses, into, j, first, last, low, high)
    if len(x) > even:
        add_to_row(x[even], synapses, into[even])


@compiled(error_model="numpy")
def _add_four(x, synapses, into, j, first, last, low, high):  # type: ignore[no-untyped-def]
    a, b = synapses[j, low:high], synapses[j + 1, low:high]
    c, d = synapses[j + 2, low:high], synapses[j + 3, low:high]
    for r in range(first, last, 2):  # two rows at a time: each load of a synapse serves both
        p, q, s, t = x[r, j], x[r, j + 1], x[r, j + 2], x[r, j + 3]
        e, f, g, h = x[r + 1, j], x[r + 1, j + 1], x[r + 1, j + 2], x[r + 1, j + 3]
        upper, lower = into[r, low:high], into[r + 1, low:high]
        for n in range(high - low):
            sum_of_upper = fma(t, d[n], fma(s, c[n], fma(q, b[n], fma(p, a[n], upper[n]))))
            sum_of_lower = fma(h, d[n], fma(g, c[n], fma(f, b[n], fma(e, a[n], lower[n]))))
            upper[n] = sum_of_upper
            lower[n] = sum_of_lower


@compiled(error_model="numpy")
def _add_one(x, synapses, into, j, first, last, low, high):  # type: ignore[no-untyped-def]
    a = synapses[j, low:high]
    for r in range(first, last):
        row, factor = into[r, low:high], x[r, j]
        for n in range(high - low):
            row[n] = fma(factor, a[n], row[n])


@compiled(error_model="numpy")
def add_to_row(x, synapses, into):  # type: ignore[no-untyped-def]
    """Like ``add_product``, for one row: ``(in,)`` times ``(in, out)``, to ``into`` ``(out,)``."""
    whole = len(x) - len(x) % 4
    for j in range(0, whole, 4):
        p, q, s, t = x[j], x[j + 1], x[j + 2], x[j + 3]
        a, b, c, d = synapses[j], synapses[j + 1], synapses[j + 2], synapses[j + 3]
        for n in range(len(into)):
            into[n] = fma(t, d[n], fma(s, c[n], fma(q, b[n], fma(p, a[n], into[n]))))
    for j in range(whole, len(x)):
        a, p = synapses[j], x[j]
        for n in range(len(into)):
            into[n] = fma(p, a[n], into[n])


@compiled(error_model="numpy", fastmath={"reassoc", "contract"})
def add_outer(start, source, value, rows, into, fresh):  # type: ignore[no-untyped-def]
    """Add ``x.T @ rows``, x as in ``spikes.Spikes``, to ``into`` ``(in, out)``, or fill it if fresh.

    A gradient, where the order of a sum does not matter: source by source, so that a row of ``into`` is read
    and written seldom, and ``BLOCK`` rows after the others, which the cache holds for all sources.
    """
    begin, row_of, factor = _by_source(start, source, value, len(into))
    place = begin.copy()
    if fresh:
        into[:] = 0
    for high in range(BLOCK, len(rows) + BLOCK, BLOCK):
        for j in range(len(into)):
            sums, at, end = into[j], place[j], begin[j + 1]
            while at + 4 <= end and row_of[at + 3] < high:
                a, b, c, d = (
                    rows[row_of[at]],
                    rows[row_of[at + 1]],
                    rows[row_of[at + 2]],
                    rows[row_of[at + 3]],
                )
                p, q, r, s = factor[at], factor[at + 1], factor[at + 2], factor[at + 3]
                for n in range(len(sums)):
                    sums[n] += (p * a[n] + q * b[n]) + (r * c[n] + s * d[n])
                at += 4
            place[j] = at
    for j in range(len(into)):
        sums = into[j]
        for rest in range(place[j], begin[j + 1]):
            a, p = rows[row_of[rest]], factor[rest]
            for n in range(len(sums)):
                sums[n] += p * a[n]


@compiled(error_model="numpy")
def _by_source(start, source, value, n_sources):  # type: ignore[no-untyped-def]
    begin = np.zeros(n_sources + 1, np.int64)
    for at in range(start[-1]):
        begin[source[at] + 1] += 1
    for j in range(n_sources):
        begin[j + 1] += begin[j]
    free = begin.copy()
    row_of, factor = np.empty(start[-1], np.int64), np.empty(start[-1], value.dtype)
    for row in range(len(start) - 1):
        for at in range(start[row], start[row + 1]):
            to = free[source[at]]
            row_of[to], factor[to] = row, value[at]
            free[source[at]] = to + 1
    return begin, row_of, factor
