"""``kinelift recognition encode``: from a file to a figure."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from kinelift.poses import H36M17, Person, Poses3D, Recording, Track2D, VideoFacts, recording
from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.skeleton import KINECT15_PAIR
from kinelift.recognition.commands import encode
from kinelift.recognition.data import clipfile
from kinelift.recognition.encoding.pair_order import LIMBS, REACHES
from kinelift.recognition.encoding.spmf import Encoding
from kinelift.recognition.measuring import classifier_plots
from tests.recognition.bodies import moving
from tests.recognition.motions import walking

TIMES = 2.0 + np.arange(90) / 30


@pytest.fixture
def two_people(tmp_path):
    """A recording in which two people walk from 2 to 5 s; from 4 s on nobody sees the first one's head."""
    points = walking()
    hidden = points.copy()
    hidden[60:, H36M17.index("head")] = np.nan
    flat = np.zeros((90, 17, 2))
    track = Track2D(flat, np.ones((90, 17)), TIMES, np.zeros((90, 17), bool), 60, (640, 480), H36M17)
    people = (
        Person(3, track, Poses3D(hidden, TIMES, None, H36M17)),
        Person(8, track, Poses3D(points, TIMES, None, H36M17)),
    )
    video = VideoFacts("a.mp4", 640, 480, np.arange(150) / 30)
    recording.save(tmp_path / "recording.npz", Recording(video, people))
    return tmp_path / "recording.npz"


def test_a_person_of_a_recording_is_drawn(two_people, tmp_path):
    encode(two_people, tmp_path / "figure.png", "8", start=4.0)
    assert cv2.imread(str(tmp_path / "figure.png")).shape[0] > 300


@pytest.mark.parametrize(
    ("problem", "choices"),
    [
        ("person: 3, 8", {}),
        ("from 2.00 to 4.97 s", {"person": "8", "start": 1.0}),
        ("from 2.00 to 4.97 s", {"person": "8", "start": 4.97}),
        ("more than 0", {"person": "8", "seconds": -1.0}),
        ("not seen", {"person": "3", "start": 4.0}),
    ],
)
def test_what_cannot_be_drawn_is_reported(two_people, tmp_path, problem, choices):
    with pytest.raises((DataError, SettingsError), match=problem):
        encode(two_people, tmp_path / "figure.png", **choices)
    assert not (tmp_path / "figure.png").exists()


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.npz"):
        encode(tmp_path / "nothing.npz", tmp_path / "figure.png")


def test_seconds_and_start_are_those_requested(two_people, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(classifier_plots, "motion_image", lambda *given: drawn.append(given))
    encode(two_people, tmp_path / "figure.png", "8")
    encode(two_people, tmp_path / "figure.png", "8", start=3.0, seconds=0.5)
    encode(two_people, tmp_path / "figure.png", "8", start=4.0, seconds=float("inf"))
    assert [(len(motion), start, seconds) for motion, _, start, seconds, _ in drawn] == [
        (31, 2.0, 1.0), (16, 3.0, 0.5), (30, 4.0, pytest.approx(29 / 30)),
    ]  # fmt: skip
    upright = [1.0, -1.0, -1.0]  # camera axes to a level world's
    np.testing.assert_allclose(drawn[1][0], walking()[30:46] * upright, atol=2**-15)


def test_a_clip_of_two_people_is_drawn_in_their_own_encoding(tmp_path, monkeypatch):
    clipfile.save(
        tmp_path / "clip.npz", clipfile.ClipMotion(moving(KINECT15_PAIR)[0], np.arange(46) / 30, KINECT15_PAIR)
    )
    drawn = []
    monkeypatch.setattr(classifier_plots, "motion_image", lambda *given: drawn.append(given))
    encode(tmp_path / "clip.npz", tmp_path / "figure.png")
    assert drawn[0][1] == Encoding.of("kinect15-pair")


@pytest.mark.parametrize(
    ("choices", "named"),
    [
        ({}, True), ({"order": "parts", "moves": ("head",), "rows": 33, "equalise": "none"}, True),
        ({"distance_range": "sequence", "axes": "recorded", "rows": 16}, False), ({"moves": ("head",)}, False),
    ],
)  # fmt: skip
def test_rows_are_named_where_there_is_one_for_each(choices, named, tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(classifier_plots, "write_png", lambda figure, path: kept.append(figure))
    encoding = replace(Encoding(), **choices)
    classifier_plots.motion_image(walking(31), encoding, 2.0, 1.0, tmp_path / "figure.png")
    first, *_ = kept[0].axes
    names = [label.get_text() for label in first.get_yticklabels()]
    assert first.get_xlim() == (2.0, 3.0)
    if not named:
        assert names == [] and f"in {encoding.rows} rows" in first.get_ylabel()
        return
    assert len(names) == encoding.rows
    row = encoding.arrangement.index(len(REACHES) + LIMBS.index(("left_knee", "left_ankle")))
    assert names[row] == "left knee → left ankle"
