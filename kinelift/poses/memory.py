"""Memory that is free inside the process, and could be the system's."""

import ctypes
import sys


def give_back() -> None:
    """Give memory that was freed back to the system, where the C library can.

    glibc keeps the holes between what is still in use. After a long video was tracked, they are hundreds of megabytes.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
        if trim is not None:
            trim(0)
