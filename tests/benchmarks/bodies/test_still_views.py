"""Views of somebody who stands still, and the program's answer to them."""

from pathlib import Path

import numpy as np
import pytest
from torch import Generator

from benchmarks.bodies.standing import bodies, stand, stature
from benchmarks.bodies.still_views import DISTANCE, RATE, SIZE, VIEWS, StillView, Studio, noisy
from kinelift.app import cli
from kinelift.app.settings import Detection, Drawing, Settings
from kinelift.app.video import Reading
from kinelift.lifting.synthesis.noise import MEASURED
from kinelift.poses import COCO23
from kinelift.poses.recording import load

MAN = bodies(0, seed=0)["man"]
TALL = stature(MAN)
NOSE, EAR, HIPS = COCO23.index("nose"), COCO23.index("left_ear"), [COCO23.index(f"{s}_hip") for s in ("left", "right")]


def seen(heading: float, height: float = TALL / 2) -> np.ndarray:
    return StillView(heading, height).keypoints(stand(MAN), TALL)


def test_everybody_is_inside_every_picture() -> None:
    assert len(VIEWS) == 24 and len(set(VIEWS)) == 24
    for lengths in bodies(4, seed=0).values():
        for view in VIEWS:
            points = view.keypoints(stand(lengths), stature(lengths))
            assert ((points > 20) & (points < np.array(SIZE) - 20)).all()


def test_sizes_are_those_of_a_camera_with_the_default_field_of_view() -> None:
    focal = SIZE[1] / 2 / np.tan(np.radians(55 / 2))
    left, right = seen(0)[HIPS]
    width = 2 * MAN[0]
    assert left[0] - right[0] == pytest.approx(focal * width / DISTANCE)  # their left is on the picture's right
    assert (left + right)[0] / 2 == pytest.approx(SIZE[0] / 2)
    middle = stand(MAN)[0, 1] - TALL / 2
    assert left[1] == pytest.approx(SIZE[1] / 2 - focal * middle / DISTANCE)


def test_headings() -> None:
    for heading, sign in ((90, 1), (270, -1)):
        points = seen(heading)
        assert sign * (points[NOSE] - points[EAR])[0] > 20
    np.testing.assert_allclose(seen(360), seen(0))
    mirrored = seen(45)[list(COCO23.mirror)] * [-1, 1] + [SIZE[0], 0]
    np.testing.assert_allclose(seen(315), mirrored)
    assert seen(180)[HIPS[0], 0] < seen(180)[HIPS[1], 0]


@pytest.mark.parametrize("view", VIEWS)
def test_camera_looks_at_the_middle_from_where_it_should(view: StillView) -> None:
    place = view.place(TALL)
    middle = place.to_camera(np.array([0.0, TALL / 2, 0.0]))
    np.testing.assert_allclose(middle[:2], 0, atol=1e-12)
    assert middle[2] == pytest.approx(np.hypot(DISTANCE, view.height - TALL / 2))
    assert place.centre[1] == view.height
    assert (place.rotation @ [0, 1, 0])[1] < -0.8  # up in the picture


def test_noise_is_repeatable_and_loses_joints() -> None:
    still = seen(0)
    np.testing.assert_allclose(
        noisy(still, 5, None, Generator()), np.broadcast_to(still, (5, len(COCO23), 2)), atol=1e-3
    )
    one, again = ([noisy(still, 60, MEASURED, g) for _ in range(9)] for g in (Generator().manual_seed(3) for _ in "ab"))
    np.testing.assert_array_equal(one, again)
    assert 0 < np.isnan(one).mean() < 0.2
    size = np.sqrt(((still - still.mean(0)) ** 2).sum(-1).mean())
    assert 0.005 * size < np.nanmedian(np.abs(np.array(one) - still)) < 0.06 * size


def test_answers_are_the_commands(tmp_path: Path) -> None:
    frames = 12
    studio = Studio.open(tmp_path, frames, "default", Settings())
    points = noisy(seen(45), frames, None, Generator())
    answer = studio.lift(points)
    assert len(answer) == frames and answer.times[1] == pytest.approx(1 / RATE, abs=1e-5)
    settings, detection = Settings(), Detection(options={"keypoints": studio.video.with_suffix(".json")})
    command = {"settings": settings, "detection": detection, "reading": Reading(), "drawing": Drawing()}
    assert cli.run(studio.video, **command, out=tmp_path / "out", quiet=True) == 0
    (person,) = load(tmp_path / "out" / "still" / "recording.npz").people
    assert person.poses is not None
    np.testing.assert_allclose(person.poses.points, answer.points, atol=1e-9)
    other = studio.lift(noisy(seen(0), frames, None, Generator()))
    assert np.nanmax(np.abs(other.points - answer.points)) > 0.05
