"""Where nothing can be kept on disk, loops are compiled all the same, and the user is told how to mend it."""

import subprocess
import sys

PROGRAM = """
import warnings
from numba.core import caching

# A read-only installation without a home: numba finds no folder to keep compiled code in.
caching.CacheImpl._locator_classes = []
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import numpy as np
    import rc_vs_snn.models
    from rc_vs_snn.kernels import sums
told = [str(each.message) for each in caught if "NUMBA_CACHE_DIR" in str(each.message)]
assert len(told) == 1, told
into = np.array([1.0, 2.0], np.float32)
sums.add_rows(np.array([1], np.int64), 0, 1, np.array([[9, 9], [3, 4]], np.float32), into)
assert into.tolist() == [4.0, 6.0], into
print(told[0])
"""


def test_loops_run_uncached_and_say_once_how_to_give_them_a_folder() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("compiled loops are not kept (numba finds no folder for them)")
