"""Where a benchmark was run."""

import os
import platform
from typing import Any


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()}
