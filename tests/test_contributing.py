"""The steps of docs/how-to/add-a-detector.md, taken as written."""

import re
import sys
from pathlib import Path

import pytest

import kinelift.detectors
from kinelift.__main__ import main
from kinelift.detectors import kinds
from kinelift.poses.recording import load
from tests.clips import NTSC, steady, write_clip

TEXT = (Path(__file__).resolve().parents[1] / "docs/how-to/add-a-detector.md").read_text(encoding="utf-8")


def test_a_detector_is_added_in_the_steps_that_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector, kind, test = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    folder = tmp_path / "spot"
    folder.mkdir()
    for name, code in {"__init__": "", "detector": detector, "kind": kind}.items():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(kinelift.detectors, "__path__", [*kinelift.detectors.__path__, str(tmp_path)])
    try:
        from kinelift.detectors.spot.kind import SPOT  # type: ignore[import-not-found]

        monkeypatch.setattr(kinds, "KINDS", (*kinds.KINDS, SPOT))
        write_clip(tmp_path / "dance.mp4", steady(12, NTSC), size=(160, 120))
        monkeypatch.chdir(tmp_path)
        assert main(["detect", "dance.mp4", "--detector", "spot", "--brightness", "1", "-o", "k.npz"]) == 0
        recording = load(Path("k.npz"))
        assert len(recording.people) == 1
        detection = recording.made_with["spec"]["detection"]
        assert (detection["detector"], detection["options"]) == ("spot", {"brightness": 1})
        exec(compile(test, "test_spot.py", "exec"), {"__name__": "test_spot"})
    finally:
        for name in [name for name in sys.modules if name.startswith("kinelift.detectors.spot")]:
            del sys.modules[name]
