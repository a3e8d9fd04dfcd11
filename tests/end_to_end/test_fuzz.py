"""Thousands of damaged inputs by a seed: no traceback, no hang, no silent loss, and no broken file under a final name.

Minutes long: python -m pytest tests/end_to_end/test_fuzz.py -m slow -s
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import pytest

from kinelift.__main__ import main
from kinelift.app.video import Video
from kinelift.poses import recording
from kinelift.poses.errors import KineliftError
from kinelift.poses.keypoints import read
from kinelift.weights import checkpoint
from tests.app.damage import COUNT, DAMAGES, moving_clip
from tests.clips import contents

CASES, RUNS = 2000, 50
LONGEST = 60
"""Seconds that a case may take."""
CLIPS = {"mp4": "libx264", "mkv": "libx264", "ts": "libx264", "flv": "libx264", "avi": "mpeg4", "webm": "libvpx"}
STATES_NO_LENGTH = ("ts",)


def spoilt(data: bytes, random: Random) -> bytes:
    """A file with one of the damages, or with single bytes changed."""
    choice = random.randrange(len(DAMAGES) + 1)
    if choice < len(DAMAGES):
        return DAMAGES[choice](data, random)
    content = bytearray(data)
    for _ in range(random.randrange(1, 50)):
        content[random.randrange(len(content))] = random.randrange(256)
    return bytes(content)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The content of a good file of each kind, by the name of the file."""
    folder = tmp_path_factory.mktemp("sources")
    found = {f"clip.{end}": moving_clip(folder / f"clip.{end}", codec=codec) for end, codec in CLIPS.items()}
    row = {"category_id": 1, "score": 0.9, "keypoints": [v for k in range(17) for v in (20.0 + k, 10.0 + 2 * k, 0.9)]}
    (folder / "keypoints.json").write_text(json.dumps([{"image_id": k, **row} for k in range(COUNT // 2)]))
    found["keypoints.json"] = folder / "keypoints.json"
    assert main(["detect", str(found["clip.mp4"]), "--keypoints", str(found["keypoints.json"]), "--quiet",
                 "-o", str(folder / "recording.npz")]) == 0  # fmt: skip
    found["recording.npz"] = folder / "recording.npz"
    checkpoint.save(
        folder / "some.safetensors", checkpoint.Checkpoint("temporal-lifter", {"rate": 30}, {"w": np_tensor()})
    )
    found["some.safetensors"] = folder / "some.safetensors"
    return {name: path.read_bytes() for name, path in found.items()}


def np_tensor():  # type: ignore[no-untyped-def]
    import torch

    return torch.from_numpy(np.arange(400.0, dtype=np.float32))


def outcome(path: Path) -> str:
    """Read a file as the program would, and say how that went."""
    try:
        if path.suffix == ".json":
            read(path)
        elif path.suffix == ".npz":
            recording.load(path)
        elif path.suffix == ".safetensors":
            checkpoint.load(path)
        else:
            video = Video(path)
            count = sum(1 for _ in video.frames())
            told = video.damage or video.notes or path.suffix[1:] in STATES_NO_LENGTH
            return "read" if count >= 0.95 * COUNT else "told" if told else "SILENT"
    except KineliftError:
        return "refused"
    return "read"


def cases(folder: Path, sources: dict[str, bytes], count: int) -> Iterator[Path]:
    names = sorted(sources)
    for seed in range(count):
        name = names[seed % len(names)]
        path = folder / name
        path.write_bytes(spoilt(sources[name], Random(seed)))
        yield path


@pytest.mark.slow
def test_damaged_files_are_read_told_or_refused(tmp_path: Path, sources: dict[str, bytes]) -> None:
    summary: Counter[str] = Counter()
    longest = 0.0
    for seed, path in enumerate(cases(tmp_path, sources, CASES)):
        start = time.monotonic()
        try:
            result = outcome(path)
        except Exception as error:
            result = f"TRACEBACK of seed {seed} ({path.name}): {error!r}"
        if result == "SILENT":
            result = f"SILENT seed {seed} ({path.name})"
        summary[result] += 1
        longest = max(longest, time.monotonic() - start)
    print(f"\n{CASES} damaged files: {dict(summary)}; the longest took {longest:.1f} s")  # noqa: T201
    assert set(summary) <= {"read", "told", "refused"}
    assert longest < LONGEST


@pytest.mark.slow
def test_runs_on_damaged_videos_leave_whole_results(
    tmp_path: Path, sources: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keypoints.json").write_bytes(sources["keypoints.json"])
    videos = {name: data for name, data in sources.items() if name.startswith("clip.")}
    summary: Counter[str] = Counter()
    for seed, path in enumerate(cases(tmp_path, videos, RUNS)):
        out, start = tmp_path / f"out{seed}", time.monotonic()
        command = ["run", str(path), "--keypoints", str(tmp_path / "keypoints.json"), "-o", str(out), "--device", "cpu"]
        summary["done" if main([*command, "--fit", "off", "--layout", "overlay", "--quiet"]) == 0 else "refused"] += 1
        for found in out.rglob("*.npz"):
            frames = len(recording.load(found).video.times)
            overlay = found.with_name("overlay.mp4")
            assert not overlay.exists() or len(contents(overlay).times) == frames
        assert not list(out.rglob("*.part*"))
        assert time.monotonic() - start < LONGEST
    said = capsys.readouterr()
    print(f"\n{RUNS} runs on damaged videos: {dict(summary)}")  # noqa: T201
    assert "Traceback" not in said.err
