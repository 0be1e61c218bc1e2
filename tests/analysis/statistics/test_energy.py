"""Energy by hand from the printed numbers."""

import math

import pytest

from rc_vs_snn.analysis.statistics import TABLES, energy_to_decision
from rc_vs_snn.errors import InputError


def test_float32_by_hand():
    # 1000 x 0.9, 100 x (3.7 + 0.9), 10 x 3.7 pJ; 4 (1000 + 100) + 2 x 4 x 10 bytes at 10 pJ / 8 each
    energy = energy_to_decision(1000, 100, 10, parameters=2000)
    assert energy.acs_nj == pytest.approx(0.9)
    assert energy.macs_nj == pytest.approx(0.46)
    assert energy.updates_nj == pytest.approx(0.037)
    assert energy.operations_nj == pytest.approx(1.397)
    assert energy.traffic_bytes == 4480
    assert energy.memory == "8 kB SRAM"
    assert energy.memory_nj == pytest.approx(4480 * 10 / 8 / 1000)
    assert energy.total_nj == pytest.approx(1.397 + 5.6)


def test_int8_by_hand():
    energy = energy_to_decision(1000, 100, 10, parameters=9000, table="int8, 45 nm")
    assert energy.operations_nj == pytest.approx((1000 * 0.1 + 100 * (0.2 + 0.1) + 10 * 3.1) / 1000)
    assert energy.traffic_bytes == 1100 + 80
    assert energy.memory == "32 kB SRAM"


@pytest.mark.parametrize(
    ("parameters", "memory", "access_pj"),
    [
        (2048, "8 kB SRAM", 10), (2049, "32 kB SRAM", 20), (8192, "32 kB SRAM", 20), (8193, "1 MB SRAM", 100),
        (262_144, "1 MB SRAM", 100), (262_145, "DRAM", 1300),
    ],
)  # fmt: skip
def test_the_memory_is_the_smallest_that_holds_all_weights(parameters, memory, access_pj):
    energy = energy_to_decision(2, 0, 0, parameters)
    assert energy.memory == memory
    assert energy.memory_nj == pytest.approx(access_pj / 1000)  # 8 bytes: one access


def test_what_was_not_counted_stays_unknown():
    energy = energy_to_decision(1000, 100, math.nan, 2000)
    assert energy.acs_nj == pytest.approx(0.9), "what was counted is told"
    assert all(map(math.isnan, (energy.updates_nj, energy.operations_nj, energy.memory_nj, energy.total_nj)))
    sizeless = energy_to_decision(1000, 100, 10, math.nan)
    assert sizeless.memory == "unknown"
    assert math.isnan(sizeless.memory_nj)
    assert sizeless.operations_nj == pytest.approx(1.397)


def test_every_table_says_what_it_assumes_and_where_from():
    assert {"float32, 45 nm", "int8, 45 nm"} == set(TABLES)
    for table in TABLES.values():
        assert f"AC {table.ac_pj} pJ" in table.assumption
        assert f"MAC {table.mac_pj} pJ" in table.assumption
        assert f"neuron update {table.update_pj} pJ" in table.assumption
        assert "Horowitz" in table.source
        assert "2014" in table.source


def test_faults_are_named():
    with pytest.raises(InputError, match="did you mean 'int8, 45 nm'"):
        energy_to_decision(1, 1, 1, 1, table="int8, 45nm")
    with pytest.raises(InputError, match="macs must be at least 0, got -1"):
        energy_to_decision(1, -1, 1, 1)
