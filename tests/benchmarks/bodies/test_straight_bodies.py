"""Figures of answers that are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.bodies import side_view
from benchmarks.bodies.sample_bodies import body
from benchmarks.bodies.standing import bodies, stand
from benchmarks.bodies.still_views import VIEWS, StillView
from benchmarks.bodies.straight_bodies import Answer, followed, straightness
from kinelift.poses import H36M17, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.errors import DataError
from kinelift.poses.recording import save

MAN = bodies(0, seed=0)["man"]
JOINTS = len(H36M17)


def poses(knee: float = 0.0, elbow: float = 0.0, frames: int = 4) -> Poses3D:
    points = stand(MAN, knee, elbow)[:JOINTS] * [1, -1, -1]
    return Poses3D(np.repeat((points - points[:1])[None], frames, axis=0), np.arange(frames) / 30)


def answer(view: StillView, bends: dict[str, float], **flexions: float) -> Answer:
    return Answer("man", view, bends, poses(**flexions), lean=5.0)


def test_straightness_in_all_and_by_view() -> None:
    bent = {0.0: 30.0, 90.0: 10.0}
    answers = [answer(v, {}, knee=bent.get(v.heading, 20.0)) for v in VIEWS]
    figures = straightness(answers)
    assert figures["knee"] == {"median": 20.0, "worst": 30.0}
    assert figures["elbow"] == {"median": 0.0, "worst": 0.0}
    assert figures["lean"] == {"median": 5.0, "worst": 5.0}
    assert figures["spread"] == {"median": 0.0, "worst": 0.0}
    assert figures["by heading"]["90"]["knee"] == {"median": 10.0, "worst": 10.0}
    assert list(figures["by height"]) == ["0.6", "1.2", "2.5"] and list(figures["by body"]) == ["man"]


def test_slope_and_bias_of_each_hinge() -> None:
    predictions = {0: 10.0, 20: 20.0, 60: 40.0}  # half of the truth and 10 more
    knees = [answer(VIEWS[0], {"knee": true}, knee=predicted) for true, predicted in predictions.items()]
    elbows = [answer(VIEWS[1], {"elbow": true}, elbow=true + 3) for true in predictions]
    figures = followed(knees + elbows)
    assert figures["knee"]["slope"] == pytest.approx(0.5, abs=1e-3)
    assert figures["knee"]["bias"] == pytest.approx(-3.3)
    assert figures["knee"]["answers"] == {"0": 10.0, "20": 20.0, "60": 40.0}
    assert (figures["elbow"]["slope"], figures["elbow"]["bias"]) == (1.0, 3.0)
    assert set(figures["knee"]["by heading"]) == {"0"} and set(figures["elbow"]["by heading"]) == {"45"}


def test_body_while_standing() -> None:
    straight, bent = poses(), poses(knee=60)
    points = np.concatenate([straight.points, bent.points, np.full((2, JOINTS, 3), np.nan)])
    figures = body(Poses3D(points, np.arange(10.0)), (4.0, 7.0))
    assert figures["bent while standing"]["knee"] == {"both": 60.0, "left": 60.0, "right": 60.0}
    assert figures["bent"]["knee"]["both"] == pytest.approx(30.0)
    thigh = figures["limbs"]["left_thigh"]
    assert thigh["mean"] == thigh["least"] == thigh["largest"] == round(1e3 * MAN[1]) and thigh["spread"] == 0
    assert body(straight, (50.0, 60.0))["bent while standing"] is None


def test_side_view_of_people_who_come_and_go(tmp_path: Path) -> None:
    def track(start: int, size: tuple[int, int]) -> Track2D:
        times = (start + np.arange(4)) / 30
        return Track2D(np.zeros((4, 17, 2)), np.ones((4, 17)), times, np.zeros((4, 17), bool), start, size)

    facts = VideoFacts("walk", 64, 48, np.arange(8) / 30)
    late = track(4, (64, 48))
    people = (Person(1, track(0, (64, 48)), poses(knee=30)), Person(2, late, replace(poses(), times=late.times)))
    figure = side_view.drawing(people, [1, 5])
    titles = [ax.get_title() for ax in figure.axes]
    assert len(titles) == 8 and sum("knees" in title for title in titles) == 2
    assert any("knees 30° 30°" in title for title in titles) and any("knees 0° 0°" in title for title in titles)
    save(tmp_path / "recording.npz", Recording(facts, people))
    side_view.main(tmp_path / "recording.npz", tmp_path / "side.png")
    assert (tmp_path / "side.png").stat().st_size > 10_000
    with pytest.raises(DataError, match="kinelift run"):
        side_view.drawing((Person(1, track(0, (64, 48))),), [0])
