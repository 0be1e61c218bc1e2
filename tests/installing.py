"""Installing an example package into a folder, as a user would, but without a network."""

import shutil
import subprocess
import sys


def installed_into(tmp_path_factory, package):
    """Return the folder that a package of the tests, ``package``, is installed into."""
    source = tmp_path_factory.mktemp("source") / package.name
    shutil.copytree(package, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n(building needs hatchling: pip install -e '.[test]')"
    return target
