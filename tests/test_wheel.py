"""What users install: the wheel holds one importable name with all its data, and works wherever it is used from."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "*.part", "build", "dist", "out", "runs")
LIFT = """
import sys
import numpy as np
import kinelift

assert "torch" not in sys.modules, "import kinelift is to be quick"
from kinelift.lifting.lifter import Lifter
from kinelift.poses import Track2D
from kinelift.poses.camera import Camera
from kinelift.weights.store import find

points = np.random.default_rng(0).uniform(100, 300, (9, 17, 2))
track = Track2D(points, np.ones((9, 17)), np.arange(9) / 25, np.zeros((9, 17), bool), 0, (640, 480))
poses = Lifter.load(find("default")).lift(track, Camera.from_field_of_view(55, (640, 480)))
assert poses.points.shape == (9, 21, 3) and np.isfinite(poses.points).all()
print(kinelift.__file__, kinelift.__version__, kinelift.Recording.__name__)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, links and all, which building may write into."""
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("source") / "copy", symlinks=True, ignore=LEFT_OUT))


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(source))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages that holds the wheel alone."""
    folder = tmp_path_factory.mktemp("site")
    pip("install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def python(site: Path, folder: Path, *arguments: str) -> str:
    """What Python prints with ``site`` first on its path, started in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_one_name_is_installed(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in tops if not name.endswith(".dist-info")} == {"kinelift"} and len(tops) == 2


def test_every_file_of_the_package_is_in_the_wheel_once(wheel: Path, source: Path) -> None:
    held = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("kinelift/")]
    files = [p for p in (source / "kinelift").rglob("*") if p.is_file() and "__pycache__" not in p.parts]
    assert sorted(held) == sorted(p.relative_to(source).as_posix() for p in files)
    for needed in ("py.typed", "lifting/anthropometry.json", "lifting/expected_errors.json", "weights/registry.json",
                   "weights/cards/default.md", "weights/files/lifter-default.safetensors",
                   "weights/files/actions.safetensors", "weights/files/three.module.min.js",
                   "app/viewer/assets/viewer.html", "app/viewer/assets/main.js"):  # fmt: skip
        assert f"kinelift/{needed}" in held


def test_the_source_distribution_holds_the_package_once(source: Path, tmp_path: Path) -> None:
    build = f"from setuptools import build_meta; print(build_meta.build_sdist({str(tmp_path)!r}))"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (built,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(built) as archive:
        members = archive.getmembers()
    assert not [each.name for each in members if each.issym() or each.islnk()]
    tops = {each.name.split("/")[1] for each in members if each.name.count("/")}
    assert "kinelift" in tops and not tops & {"app", "detectors", "lifting", "models", "recognition", "weights"}


@pytest.mark.parametrize("beside", [(), ("app", "models", "poses", "weights")])
def test_it_works_from_any_folder(site: Path, tmp_path: Path, beside: tuple[str, ...]) -> None:
    for name in beside:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('somebody else')\n")
    (tmp_path / "script.py").write_text(LIFT)
    file, version, recording = python(site, tmp_path, "script.py").split()
    assert Path(file).is_relative_to(site) and recording == "Recording"
    assert python(site, tmp_path, "-m", "kinelift", "--version") == f"kinelift {version}\n"
    assert "default" in python(site, tmp_path, "-m", "kinelift", "weights", "list")
