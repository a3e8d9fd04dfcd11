from fractions import Fraction

import numpy as np
import pytest

from kinelift.app.live.analyser import LiveAnalyser, Moment
from kinelift.app.live.window import drawn
from kinelift.detectors.scripted import Scripted
from kinelift.poses import Frame
from kinelift.poses.errors import SettingsError
from kinelift.poses.validation import validate
from tests.app.live.stages import live_pipeline
from tests.app.stages import Flat, pipeline, script

SIZE = (160, 120)


def frames(count: int, step: int = 1) -> list[Frame]:
    """Grey pictures at 30 a second; only every ``step``-th is left."""
    image = np.full((SIZE[1], SIZE[0], 3), 90, np.uint8)
    return [Frame(k, Fraction(k, 30), image) for k in range(0, count, step)]


def walk(analyser: LiveAnalyser, count: int, step: int = 1) -> list[Moment]:
    return [analyser.analyse(frame) for frame in frames(count, step)]


def two_people(count: int, enters: int = 20) -> Scripted:
    return script(count, lambda k: 30.0 + k, lambda k: 120.0 if k >= enters else None)


def test_people_are_followed_lifted_and_classified() -> None:
    moments = walk(LiveAnalyser(live_pipeline(two_people(60)), "walk", SIZE), 60)
    assert [person.id for person in moments[0].present] == []  # nobody has an id before the tracker is sure
    assert [person.id for person in moments[15].present] == [1]
    assert [person.id for person in moments[59].present] == [1, 2]
    (first, _) = moments[59].present
    assert first.action is not None and first.action.label == "wave"
    assert first.rows[-1].pose is not None and np.isfinite(first.rows[-1].pose.points).all()


def test_dropped_frames_are_no_gap() -> None:
    analyser = LiveAnalyser(live_pipeline(two_people(20, enters=5)), "walk", SIZE, keep=True)
    assert [person.id for person in walk(analyser, 60, step=3)[-1].present] == [1, 2]
    recording = analyser.recording(20)
    np.testing.assert_allclose(recording.video.times, np.arange(20) / 10)


def test_the_recording_is_what_was_shown() -> None:
    analyser = LiveAnalyser(live_pipeline(two_people(60)), "walk", SIZE, keep=True)
    moments = walk(analyser, 60)
    recording = analyser.recording(60)
    validate(recording)
    assert [person.id for person in recording.people] == [1, 2]
    for person in recording.people:
        (live,) = (one for one in moments[-1].present if one.id == person.id)
        assert person.poses is not None and person.poses.seen is not None and person.actions is not None
        np.testing.assert_array_equal(person.poses.points[-1], live.rows[-1].pose.points)
        np.testing.assert_array_equal(person.track.points[-1], live.rows[-1].points)
        assert person.track.start == live.rows[0].frame
    assert recording.made_with["spec"]["lifter"] == "live" and "live" in recording.made_with["notes"][-1]


def test_a_recording_leaves_out_a_frame_that_was_not_written() -> None:
    analyser = LiveAnalyser(live_pipeline(two_people(60)), "walk", SIZE, keep=True)
    walk(analyser, 60)
    recording = analyser.recording(59)
    validate(recording)
    assert len(recording.video.times) == 59 and recording.people[0].track.stop == 59


def test_without_recording_old_frames_are_forgotten() -> None:
    detector = script(900, lambda k: 60.0 if k < 30 else None, lambda k: 120.0)
    analyser = LiveAnalyser(live_pipeline(detector), "walk", SIZE)
    (left,) = walk(analyser, 900, step=3)[-1].present
    assert left.rows[0].frame >= 299 - 101
    assert [person.id for person in analyser.recent(20.0).people] == [left.id]


def test_the_picture_shows_people_beside_the_3d_view() -> None:
    analyser = LiveAnalyser(live_pipeline(two_people(60)), "walk", SIZE)
    moment = walk(analyser, 60)[-1]
    image = drawn(analyser, moment)
    assert image.shape[0] == 480 and image.shape[1] > 1.5 * image.shape[0]  # small pictures are enlarged
    picture, view = image[:, :640], image[:, -480:]
    assert (picture != 90).any(axis=-1).mean() > 0.01 and len(np.unique(view.reshape(-1, 3), axis=0)) > 100
    assert (moment.frame.image == 90).all()


def test_lifters_without_a_network_are_rejected() -> None:
    assert isinstance(pipeline(two_people(3)).lifter, Flat)
    with pytest.raises(SettingsError, match="--lifter live"):
        LiveAnalyser(pipeline(two_people(3)), "walk", SIZE)
