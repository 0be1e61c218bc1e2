"""``python -m rc_vs_snn``: the command line."""

import sys

from rc_vs_snn.cli import main

if __name__ == "__main__":
    sys.exit(main())
