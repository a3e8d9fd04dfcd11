"""Memory that was freed goes back to the system."""

import sys
from pathlib import Path

import pytest

from kinelift.poses.memory import give_back


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_holes_are_given_back() -> None:
    give_back()
    before = resident()
    held = [bytearray(100_000) for _ in range(1000)]  # too small to be mapped one by one
    pins = [bytearray(100_000) for _ in range(1)]
    assert resident() > before + 80e6
    del held
    give_back()
    assert resident() < before + 20e6 and pins
