"""SECURITY.md names tests that exist, and NOTICE the libraries under copyleft that the installed wheels bring."""

import re
from importlib.metadata import files
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NOTICE = (ROOT / "NOTICE").read_text(encoding="utf-8")
PROMISES = [line for line in SECURITY.splitlines() if line.startswith("| ") and "promise" not in line]
COPYLEFT = {
    "x264": "x264", "x265": "x265", "avcodec": "FFmpeg", "gnutls": "GnuTLS", "mp3lame": "LAME", "asound": "ALSA",
    "gmp": "GMP", "nettle": "Nettle", "unistring": "libunistring", "Qt": "Qt 5", "ssl": "OpenSSL",
    "gfortran": "libgfortran", "quadmath": "libquadmath", "xvid": "Xvid",
}  # fmt: skip
"""Part of a library's file name → its name in NOTICE."""


def test_there_are_promises() -> None:
    assert len(PROMISES) >= 12


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_names_a_test_that_exists(promise: str) -> None:
    tests = re.findall(r"`(tests/[\w/]+\.py)`", promise)
    assert tests
    for test in tests:
        assert "def test_" in (ROOT / test).read_text(encoding="utf-8"), test


def test_every_test_named_elsewhere_exists() -> None:
    assert [path for path in re.findall(r"tests/[\w/]+\.py", SECURITY) if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize(("package", "least"), [("av", {"x264", "x265", "avcodec"}), ("opencv-python", {"avcodec"})])
def test_notice_names_what_the_wheels_bring(package: str, least: set[str]) -> None:
    libraries = [path.name for path in files(package) or () if re.search(r"\.(so|dylib)\b", path.name)]
    if not any(path.parts[0].endswith(".libs") for path in files(package) or ()):
        pytest.skip(f"{package} was not installed from a wheel for Linux")
    brought = {part for part in COPYLEFT if any(name.startswith(f"lib{part}") for name in libraries)}
    assert least <= brought
    section = NOTICE[NOTICE.index({"av": "PyAV "}.get(package, package)) :].partition("\n\n")[0]
    assert [COPYLEFT[part] for part in sorted(brought) if COPYLEFT[part] not in section] == []


def test_notice_names_the_versions_of_the_locks() -> None:
    lock = (ROOT / "requirements/runtime.lock").read_text()
    for package, name in (("av", "PyAV"), ("imageio-ffmpeg", "imageio-ffmpeg"), ("opencv-python", "opencv-python")):
        version = re.search(rf"^{package}==(\S+)", lock, re.MULTILINE)
        assert version and f"{name} {version[1]} " in NOTICE, f"{package}: read the new wheel, and renew NOTICE"
