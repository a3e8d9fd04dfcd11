"""Every test runs with shapes checked (jaxtyping + beartype), one torch thread, and as much time as it needs."""

from jaxtyping import install_import_hook

import tests.shapes  # noqa: F401  (the hook names it)

# Before anything of ours is imported, so that every annotated shape is checked at run time.
install_import_hook("kinelift", "tests.shapes.check").__enter__()

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

torch.set_num_threads(1)
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data that a developer may have beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"no data folder at {SHARED}")
    return SHARED
