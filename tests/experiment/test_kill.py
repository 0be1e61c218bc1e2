"""A few kills of the kill tests (``tests/kill_test.py``, ``tests/dask_kill_test.py``), which do more."""

import importlib
import os
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="looks for processes in /proc"),
]


@pytest.fixture
def beside(monkeypatch):
    """Find the kill tests, which are no tests of pytest."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1])
    return importlib.import_module


def test_three_kills_lose_nothing(tmp_path, beside):
    assert beside("kill_test").kill_test(tmp_path, kills=3, jobs=2, epochs=20) == []


def test_a_kill_of_each_part_of_dask_loses_and_doubles_nothing(tmp_path, beside):
    pytest.importorskip("distributed")
    assert beside("dask_kill_test").dask_kill_test(tmp_path, kills=1, epochs=10) == []
