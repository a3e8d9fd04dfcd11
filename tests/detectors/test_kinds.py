"""The list of detectors: what must hold for every entry, so that the command line can be built from it."""

import subprocess
import sys
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

import pytest

from kinelift.detectors.kinds import AUTO, KINDS
from kinelift.detectors.protocol import DetectorKind
from kinelift.poses.errors import SettingsError

each = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def test_names_are_unique() -> None:
    names = [AUTO, *(kind.name for kind in KINDS)]
    assert len(set(names)) == len(names)


def test_auto_finds_a_detector_on_every_device() -> None:
    for device in ("cpu", "cuda"):
        assert any(kind.automatic_on and kind.automatic_on(device) for kind in KINDS)


def test_detectors_that_share_an_option_agree_on_its_type() -> None:
    types: dict[str, set[Any]] = {}
    for kind in KINDS:
        for name, hint in get_type_hints(kind.options).items():
            types.setdefault(name, set()).add(hint | None)
    assert {name: hints for name, hints in types.items() if len(hints) > 1} == {}


@each
def test_every_option_is_explained_and_options_are_frozen(kind: DetectorKind[Any]) -> None:
    for one in fields(kind.options):
        assert one.metadata["about"].endswith(".")
    assert kind.options.__dataclass_params__.frozen


@each
def test_defaults_are_valid_and_a_required_option_is_named(kind: DetectorKind[Any]) -> None:
    required = [one.name for one in fields(kind.options) if one.default is MISSING]
    if required:
        with pytest.raises(SettingsError, match=f"{kind.name} needs --{required[0]}"):
            kind.read({})
    else:
        assert kind.read({}) == kind.options()


def test_the_list_imports_no_network() -> None:
    """``kinelift --help`` reads it."""
    code = "import sys, kinelift.detectors.kinds; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "scipy", "cv2", "detectron2", "onnxruntime", "ai_edge_litert"}
    assert heavy & set(done.stdout.split()) == set()
