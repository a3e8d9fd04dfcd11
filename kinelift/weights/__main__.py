"""``python -m weights``: the old form of ``kinelift weights``, removed in the next release."""

import sys

from kinelift.__main__ import run_deprecated

if __name__ == "__main__":
    sys.exit(run_deprecated("weights"))
