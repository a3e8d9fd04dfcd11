"""The files around the code agree with each other: locks, Dockerfile, Makefile, licence, links."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETTINGS = PROJECT["project"]
LOCKS = ("runtime", "dev", "detectron2", "tools")
UNHASHED = ("torch", "torchvision")


def lines(path: str) -> list[str]:
    """The lines of a text file of the repository, without comments and blank ones."""
    text = (ROOT / path).read_text()
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]


def requirements(name: str) -> list[str]:
    """The requirements of a lock, each with its hashes in one line."""
    return "\n".join(lines(f"requirements/{name}.lock")).replace("\\\n", " ").splitlines()


def pins(name: str) -> dict[str, Version]:
    """Package → version of a lock. Fails where a line is anything else than one exact version of a new package."""
    found: dict[str, Version] = {}
    for requirement in (Requirement(line.partition("--hash")[0]) for line in requirements(name)):
        (specifier,) = requirement.specifier
        package = canonicalize_name(requirement.name)
        assert specifier.operator == "==" and "*" not in specifier.version, requirement
        assert package not in found, f"{package} is pinned twice"
        found[package] = Version(specifier.version)
    return found


def make(*args: str) -> subprocess.CompletedProcess[str]:
    outside = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(["make", *args], cwd=ROOT, env=outside, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes(lock: str) -> None:
    without = [line for line in requirements(lock) if not re.search(r"( --hash=sha256:[0-9a-f]{64})+$", line)]
    assert not without


@pytest.mark.parametrize("package", UNHASHED)
def test_torch_is_pinned_in_a_file_of_its_own(package: str) -> None:
    assert list(pins(package)) == [package]
    assert not any(package in pins(lock) for lock in LOCKS)


@pytest.mark.parametrize("lock", [*LOCKS, *UNHASHED])
def test_locks_pin_one_public_version_of_every_package(lock: str) -> None:
    assert all(version.local is None for version in pins(lock).values())


@pytest.mark.parametrize(("lock", "wanted"), [
    ("runtime", SETTINGS["dependencies"]),
    ("dev", SETTINGS["dependencies"] + SETTINGS["optional-dependencies"]["dev"]),
    ("detectron2", lines("requirements/detectron2.in")),
    ("tools", lines("requirements/tools.in")),
])  # fmt: skip
def test_locks_hold_what_is_asked_for(lock: str, wanted: list[str]) -> None:
    locked = pins(lock) | pins("torch") | pins("torchvision")
    for requirement in map(Requirement, wanted):
        package = canonicalize_name(requirement.name)
        assert package in locked, f"{package} is not in requirements/{lock}.lock: make lock"
        assert requirement.specifier.contains(locked[package], prereleases=True), f"{requirement}: make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_agree(lock: str) -> None:
    runtime, other = pins("runtime"), pins(lock)
    assert {p: v for p, v in other.items() if runtime.get(p, v) != v} == {}
    assert lock in ("detectron2", "tools") or runtime.keys() <= other.keys()


def test_every_data_file_is_packaged() -> None:
    packages = PROJECT["tool"]["setuptools"]["package-data"]
    patterns = [f"{package.replace('.', '/')}/{pattern}" for package, each in packages.items() for pattern in each]
    files = [p.relative_to(ROOT).as_posix() for p in (ROOT / "kinelift").rglob("*") if p.is_file()]
    data = [name for name in files if not name.endswith((".py", ".pyc", ".part"))]
    assert [name for name in data if not any(fnmatch(name, pattern) for pattern in patterns)] == []


def test_top_level_folders_are_links_to_the_rooms() -> None:
    links = [path for path in ROOT.iterdir() if path.is_symlink()]
    assert {link.name: link.readlink().as_posix() for link in links} == {
        name: f"kinelift/{name}" for name in ("app", "detectors", "lifting", "models", "recognition", "weights")
    }


class TestDockerfile:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")

    def words(self, instruction: str) -> list[list[str]]:
        return [line.split()[1:] for line in self.text.splitlines() if line.startswith(instruction + " ")]

    def copied(self) -> set[str]:
        return {source for words in self.words("COPY") if not words[0].startswith("--") for source in words[:-1]}

    def test_builds_detectron2_at_a_commit_without_touching_the_pins(self) -> None:
        arguments = dict(words[0].split("=", 1) for words in self.words("ARG"))
        assert re.fullmatch(r"[0-9a-f]{40}", arguments["DETECTRON2"])
        assert "detectron2@${DETECTRON2}" in self.text
        assert re.search(r"pip install [^&]*--no-deps --no-build-isolation\s+\"git\+", self.text)
        assert pins("detectron2")["setuptools"] < Version("81"), "Detectron2's build needs pkg_resources"

    def test_installs_every_package_from_the_locks(self) -> None:
        installed = re.findall(r"pip install ([^&]*)", self.text.replace("\n", " "))
        hashed = [each for each in installed if ".lock" in each and "--no-deps --require-hashes" in each]
        assert re.findall(r"requirements/(\w+)\.lock", " ".join(hashed)) == ["runtime", "detectron2"]
        assert "-r requirements/torch.lock -r requirements/torchvision.lock" in installed[2]
        assert re.findall(r"\b[\w-]+==[\d.]+", self.text) == []

    def test_both_stages_share_cuda_and_system(self) -> None:
        images = [words[0] for words in self.words("FROM")]
        assert len(images) == 2
        assert all("${CUDA}" in image and image.endswith("ubuntu${UBUNTU}") for image in images)

    def test_copies_what_exists_and_is_let_in(self) -> None:
        let_in = {line.removeprefix("!") for line in lines(".dockerignore") if line.startswith("!")}
        assert {source.split("/")[0] for source in self.copied()} == let_in
        assert [name for name in self.copied() if not (ROOT / name).exists()] == []

    def test_copies_the_whole_package(self) -> None:
        packages = {pattern.rstrip("*") for pattern in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
        assert packages <= self.copied()

    def test_fetches_weights_with_no_more_code_than_it_takes(self, tmp_path: Path) -> None:
        """What is copied before the weights are fetched is all that this imports."""
        before = self.text[: self.text.index("from kinelift.weights.store import fetch")]
        for source in re.findall(r"^COPY (kinelift/\w+) ", before, re.MULTILINE):
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("files", "__pycache__"))
        (tmp_path / "kinelift/__init__.py").touch()  # in the image no other kinelift is installed
        program = "from kinelift.weights.store import fetch; import kinelift; print(*kinelift.__path__)"
        done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(tmp_path / "kinelift")

    def test_no_folder_is_writable_for_everybody(self) -> None:
        assert not re.search(r"chmod [^&]*([ao]|^)\+\w*w|[0-7]*[2367]77\b|--mode=\S*[2367]\b", self.text)

    def test_its_weights_are_read_only_and_downloads_have_a_folder_of_the_user(self) -> None:
        variables = dict(
            re.findall(r"\b(KINELIFT_\w+)=(\S+)", " ".join(word for words in self.words("ENV") for word in words))
        )
        (owner,) = self.words("USER")
        (made,) = (line for line in self.text.splitlines() if line.startswith("RUN install --directory"))
        assert (
            "--owner={} --group={}".format(*owner[0].split(":")) in made and variables["KINELIFT_CACHE"] in made.split()
        )
        assert f"COPY --from=build {variables['KINELIFT_WEIGHTS']} {variables['KINELIFT_WEIGHTS']}" in self.text
        fetched = re.findall(r"fetch\(name\) for name in \(([^)]*)\)", self.text)
        assert re.findall(r"'([\w-]+)'", fetched[0]) == ["movenet-multipose", "blazepose-full", "blazepose-heavy"]

    def test_starts_our_program_as_an_ordinary_user(self) -> None:
        (entrypoint,) = self.words("ENTRYPOINT")
        assert entrypoint == [f'["{next(iter(SETTINGS["scripts"]))}"]']
        (user,) = self.words("USER")
        assert not user[0].startswith(("0", "root"))


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
class TestMake:
    @pytest.mark.parametrize("target", ["help", "demo", "check", "test", "lock", "dist", "clean"])
    def test_target_exists(self, target: str) -> None:
        done = make("--dry-run", target)
        assert done.returncode == 0, done.stderr

    def test_help_names_every_target(self) -> None:
        phony = next(line for line in lines("Makefile") if line.startswith(".PHONY:")).split()[1:]
        assert re.findall(r"^make (\w+)", make("help").stdout, re.MULTILINE) == phony

    def test_refuses_an_old_python_with_the_remedy(self, tmp_path: Path) -> None:
        old = tmp_path / "python3.9"
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
        done = make(f"PYTHON={old}", f"VENV={tmp_path / 'venv'}", "demo")
        assert done.returncode != 0
        assert "needs Python 3.11 or newer" in done.stderr
        assert not (tmp_path / "venv").exists()


def test_ci_runs_check_and_test() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert [line for line in lines(".ci/run") if line.startswith("make ")] == ["make check", "make test"]
    assert "set -euo pipefail" in lines(".ci/run")


def test_licence_is_the_one_declared() -> None:
    assert SETTINGS["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text


def test_changelog_knows_the_version() -> None:
    assert f"## [{SETTINGS['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def anchors(page: Path) -> set[str]:
    """The anchors that a page's headings make, as the usual viewers name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", sorted(
    str(p.relative_to(ROOT))
    for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("kinelift/weights/**/*.md")]
))  # fmt: skip
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    broken = []
    for target in (target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target):
        file, _, anchor = target.partition("#")
        other = (ROOT / page).parent / file if file else ROOT / page
        if not other.exists() or (anchor and anchor not in anchors(other)):
            broken.append(target)
    assert not broken, f"{page} has links that lead nowhere: {', '.join(broken)}"
