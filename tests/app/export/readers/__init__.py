"""Other programs that read our exports. A test that needs one is skipped where it is not installed.

bpy and opensim pin other packages, so they may be in environments of their own, whose interpreters
KINELIFT_BPY_PYTHON and KINELIFT_OPENSIM_PYTHON name. KINELIFT_NODE_MODULES names a folder with the npm package
gltf-validator.
"""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

HERE = Path(__file__).parent
_VALIDATE = """
const validator = require('gltf-validator'), bytes = new Uint8Array(require('fs').readFileSync(process.argv[1]));
validator.validateBytes(bytes).then(report => console.log(JSON.stringify(report)));
"""


def _python(module: str) -> str:
    named = os.environ.get(f"KINELIFT_{module.upper()}_PYTHON")
    if named is None and find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    return named or sys.executable


def _run(*command: str | Path, environment: dict[str, str] | None = None) -> str:
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, check=False, env={**own, **(environment or {})}
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def blender(path: Path, frames: list[int]) -> dict[str, np.ndarray]:
    """Where Blender has the bones of a file; see ``blender.py``."""
    result = path.with_name(f"{path.name}.npz")
    _run(_python("bpy"), HERE / "blender.py", path, result, *map(str, frames))
    with np.load(result) as arrays:
        return dict(arrays)


def opensim(trc: Path, mot: Path) -> dict[str, Any]:
    """What OpenSim makes of markers and a motion; see ``opensim_model.py``."""
    result = trc.with_name(f"{trc.name}.result.json")
    _run(_python("opensim"), HERE / "opensim_model.py", trc, mot, result)
    facts: dict[str, Any] = json.loads(result.read_text())
    return facts


def gltf_report(path: Path) -> dict[str, Any]:
    """The report of Khronos's validator."""
    node, modules = shutil.which("node"), os.environ.get("KINELIFT_NODE_MODULES")
    if node is None or modules is None or not (Path(modules) / "gltf-validator").is_dir():
        pytest.skip("Node, or gltf-validator in KINELIFT_NODE_MODULES, is not installed")
    report: dict[str, Any] = json.loads(_run(node, "-e", _VALIDATE, path, environment={"NODE_PATH": modules}))
    return report
