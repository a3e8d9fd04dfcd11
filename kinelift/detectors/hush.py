"""Keeping native libraries from talking to the user."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_ERROR = 2


@contextmanager
def hushed() -> Iterator[None]:
    """Within it nothing that the process writes to standard error is seen, whatever language writes it.

    For short calls that announce themselves and offer no setting against it; Python's exceptions are not touched.
    """
    kept, nowhere = os.dup(_STANDARD_ERROR), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, _STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
        os.close(nowhere)
