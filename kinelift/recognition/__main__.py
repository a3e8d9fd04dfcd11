"""``python -m recognition``, the old name of ``kinelift recognition``; to be removed in the next release."""

import sys

from kinelift.__main__ import run_deprecated

if __name__ == "__main__":
    sys.exit(run_deprecated("recognition"))
