"""The program's answers on a scripted clip are those that are stored: keypoints, poses, labels, and a picture.

A change that is meant to change them stores them anew: python -m tests.end_to_end.test_same_answers
"""

import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from kinelift.__main__ import main
from kinelift.app.render import Renderer
from kinelift.app.settings import Drawing
from kinelift.app.video import Video
from kinelift.poses import Recording
from kinelift.poses.recording import load
from tests.clips import steady, write_clip

STORED = Path(__file__).parent / "answers"
KEYPOINTS = STORED / "keypoints.json"
"""What MoveNet and BlazePose found in 110 frames of the sample clip, at half its size."""
FRAMES, SIZE = 110, (884, 496)
DRAWN = 60
"""The frame whose picture is stored."""


def analysed(folder: Path) -> tuple[Recording, np.ndarray]:
    """The recording of the whole program run on the scripted clip, and what it draws on one frame (RGB)."""
    clip = write_clip(folder / "scripted.mp4", steady(FRAMES, Fraction(30)), size=SIZE)
    command = ["run", str(clip), "--keypoints", str(KEYPOINTS), "-o", str(folder), "--device", "cpu", "--quiet"]
    assert main(command) == 0
    recording = load(folder / "scripted" / "recording.npz")
    drawn = Renderer(recording, Drawing())
    frame = next(frame for frame in Video(clip).frames() if frame.index == DRAWN)
    return recording, drawn.draw(frame)


def numbers(recording: Recording) -> dict[str, np.ndarray]:
    """Every array of the recording, by person and name."""
    found = {"times": recording.video.times}
    for person in recording.people:
        assert person.poses is not None and person.poses.root is not None
        found |= {
            f"{person.id}/keypoints": person.track.points,
            f"{person.id}/scores": person.track.scores,
            f"{person.id}/filled": person.track.filled,
            f"{person.id}/poses": person.poses.points,
            f"{person.id}/root": person.poses.root,
        }
    return found


def labels(recording: Recording) -> list[list[dict[str, float | str]]]:
    """The actions of each person."""
    return [
        [{"label": a.label, "start": a.start, "end": a.end, "probability": a.probability} for a in person.actions or ()]
        for person in recording.people
    ]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recording, np.ndarray]:
    return analysed(tmp_path_factory.mktemp("answers"))


def test_keypoints_and_poses_are_the_stored_ones(answers: tuple[Recording, np.ndarray]) -> None:
    now = numbers(answers[0])
    with np.load(STORED / "answers.npz") as stored:
        assert now.keys() == set(stored.files)
        for name in stored.files:
            np.testing.assert_allclose(now[name], stored[name], rtol=1e-4, atol=1e-4, err_msg=name)


def test_labels_are_the_stored_ones(answers: tuple[Recording, np.ndarray]) -> None:
    stored = json.loads((STORED / "actions.json").read_text())
    for now, then in zip(labels(answers[0]), stored, strict=True):
        assert [action["label"] for action in now] == [action["label"] for action in then]
        for name in ("start", "end", "probability"):
            assert [action[name] for action in now] == pytest.approx([action[name] for action in then], abs=1e-4)


def test_the_picture_is_the_stored_one(answers: tuple[Recording, np.ndarray]) -> None:
    stored = cv2.cvtColor(cv2.imread(str(STORED / "picture.png")), cv2.COLOR_BGR2RGB).astype(int)
    now = answers[1].astype(int)
    assert now.shape == stored.shape
    differs = (np.abs(now - stored) > 24).any(-1).mean()
    assert differs < 2e-3, f"{differs:.2%} of the pixels differ"


def store() -> None:
    """Make today's answers the stored ones."""
    with tempfile.TemporaryDirectory() as folder:
        recording, picture = analysed(Path(folder))
    np.savez_compressed(STORED / "answers.npz", **numbers(recording))
    (STORED / "actions.json").write_text(json.dumps(labels(recording), indent=1) + "\n")
    cv2.imwrite(str(STORED / "picture.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    sys.exit(store())
