"""Three kills of the kill test (``tests/kill_test.py``), which runs more."""

import importlib.util
import os
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/environ"), reason="looks for processes in /proc")
def test_three_kills_lose_nothing(tmp_path):
    spec = importlib.util.spec_from_file_location("kill_test", Path(__file__).parents[1] / "kill_test.py")
    kill_test = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kill_test)
    assert kill_test.kill_test(tmp_path, kills=3, jobs=2, epochs=20) == []
