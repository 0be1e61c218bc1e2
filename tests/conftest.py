"""What all tests share: one thread, no display, and the corpora if this computer has them."""

import os
import signal
import sys
from pathlib import Path

# Before NumPy, torch and matplotlib are imported by a test module.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

import hypothesis
import pytest

# A shared processor stalls now and then: a slow example is no failure.
hypothesis.settings.register_profile("rc_vs_snn", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("rc_vs_snn")

# A shell's background jobs ignore interrupts, and so would the runs that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _one_torch_thread() -> None:
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real corpora; a test that asks for it is skipped where there is none."""
    folder = os.environ.get("RC_VS_SNN_DATA")
    if not folder:
        pytest.skip("RC_VS_SNN_DATA is not set: it names the folder of real corpora (datasets/README.md)")
    if not Path(folder).is_dir():
        pytest.skip(f"RC_VS_SNN_DATA names {folder}, which is not a folder")
    return Path(folder)
