"""``python -m lifting``, the old name of ``kinelift lifting``; to be removed in the next release."""

import sys

from kinelift.__main__ import run_deprecated

if __name__ == "__main__":
    sys.exit(run_deprecated("lifting"))
