"""Sums in a fixed order: right, and the same to the bit however the rows are cut."""

import numpy as np
import pytest

from rc_vs_snn.kernels.elementwise import fma
from rc_vs_snn.kernels.pairs import grown
from rc_vs_snn.kernels.spikes import active, spiking
from rc_vs_snn.kernels.sums import add_entries, add_outer, add_product, add_rows


def in_order(x, synapses, into):
    """The specification: one source after another, each product and sum rounded once."""
    sums = into.copy()
    for j in range(len(synapses)):
        exact = x[:, j : j + 1].astype(np.longdouble) * synapses[j].astype(np.longdouble)
        sums = (exact + sums).astype(np.float32)
    return sums


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 65, 130])
@pytest.mark.parametrize(("n_sources", "width"), [(1, 1), (3, 5), (4, 16), (9, 1030), (70, 33)])
def test_a_product_is_summed_in_order(rows, n_sources, width):
    draw = np.random.default_rng(0)
    x = draw.standard_normal((rows, n_sources), dtype=np.float32)
    synapses = draw.standard_normal((n_sources, width), dtype=np.float32)
    into = draw.standard_normal((rows, width), dtype=np.float32)
    expected = into + x @ synapses
    mine = into.copy()
    add_product(x, synapses, mine)
    np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(mine, in_order(x, synapses, into))
    for cut in (slice(0, 1), slice(1, None), slice(0, None, 3)):
        part = into[cut].copy()
        add_product(np.ascontiguousarray(x[cut]), synapses, part)
        np.testing.assert_array_equal(part, mine[cut])


@pytest.mark.parametrize("n_spikes", range(10))
def test_spikes_dense_rows_and_entries_are_equal_to_the_bit(n_spikes):
    draw = np.random.default_rng(n_spikes)
    synapses = draw.standard_normal((30, 21), dtype=np.float32)
    source = np.sort(draw.choice(30, n_spikes, replace=False)).astype(np.int32)
    start = draw.standard_normal(21, dtype=np.float32)
    value = draw.choice(np.array([1, 2, -0.3], np.float32), n_spikes)
    for values in (np.ones(n_spikes, np.float32), value):
        x = np.zeros((1, 30), np.float32)
        x[0, source] = values
        dense, entries = start[None].copy(), start.copy()
        add_product(x, synapses, dense)
        add_entries(source, values, 0, n_spikes, synapses, entries)
        np.testing.assert_array_equal(entries, dense[0])
    rows = start.copy()
    add_rows(source, 0, n_spikes, synapses, rows)
    ones = start.copy()
    add_entries(source, np.ones(n_spikes, np.float32), 0, n_spikes, synapses, ones)
    np.testing.assert_array_equal(rows, ones)


def test_a_product_is_rounded_once():
    a = np.float32(1 + 2**-12)
    assert fma_of(a, a, np.float32(-1)) == np.float32(2**-11 + 2**-24)  # a · a alone would lose 2^-24


def fma_of(a, b, c):
    import numba

    return numba.njit(lambda a, b, c: fma(a, b, c))(a, b, c)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_outer_product_of_spikes_and_rows(dtype):
    draw = np.random.default_rng(0)
    x = (draw.random((40, 7)) < 0.4) * draw.choice([1.0, -2.0], (40, 7))
    x[3] = 0
    x[:, 5] = 0
    rows = draw.standard_normal((40, 11)).astype(dtype)
    start = np.concatenate([[0], np.cumsum((x != 0).sum(1))])
    into = np.ones((7, 11), dtype)
    add_outer(start, np.nonzero(x)[1].astype(np.int32), x[x != 0].astype(dtype), rows, into, False)
    np.testing.assert_allclose(into, 1 + x.T @ rows, rtol=1e-4, atol=1e-5)
    add_outer(start, np.nonzero(x)[1].astype(np.int32), x[x != 0].astype(dtype), rows, into, True)
    np.testing.assert_allclose(into, x.T @ rows, rtol=1e-4, atol=1e-5)


def test_an_array_grows_to_what_is_needed_and_at_least_doubles():
    array = np.arange(6, dtype=np.float32).reshape(3, 2)
    assert grown(array, 2, 3) is array or np.shares_memory(grown(array, 2, 3), array)
    for needed, length in ((4, 6), (9, 9)):
        longer = grown(array, 2, needed)
        assert longer.shape == (length, 2)
        np.testing.assert_array_equal(longer[:2], array[:2])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_active_channels_are_listed_in_order(dtype):
    times = np.array([2, 0, 3, 2, 1, 3], dtype)  # 3 of 3 steps: never
    channel = np.zeros(12, np.int32)
    channel[0] = 77
    assert active(times, 2, False, channel, 1) == 3
    assert channel[:3].tolist() == [77, 0, 3]
    assert active(times, 2, True, channel, 1) == 5
    assert channel[1:5].tolist() == [0, 1, 3, 4]


def test_spiking_neurons_are_those_above_threshold():
    membrane, threshold = np.array([1, 1.1, 0, 3], np.float32), np.array([1, 1, 1, 4], np.float32)
    spiked = np.zeros(8, np.int32)
    assert spiking(membrane, threshold, spiked, 2) == 3
    assert spiked[2] == 1
