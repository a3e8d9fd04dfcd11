"""``python -m weights``, the old name of ``kinelift weights``: goes with the next release."""

import sys

from kinelift.__main__ import moved

if __name__ == "__main__":
    sys.exit(moved("weights"))
