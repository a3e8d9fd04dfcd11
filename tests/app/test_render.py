from dataclasses import replace
from fractions import Fraction
from typing import get_args

import jaxtyping
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinelift.app.render import Renderer
from kinelift.app.render.body import Body
from kinelift.app.render.overlay import caption
from kinelift.app.render.scene import build_scene
from kinelift.app.render.view_camera import ViewCamera
from kinelift.app.settings import Drawing, Layout
from kinelift.lifting.world.assumed import assumed_world
from kinelift.poses import COCO17, H36M17, Action, Frame, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.poses.camera import Camera
from kinelift.poses.errors import SettingsError

LAYOUTS: tuple[Layout, ...] = get_args(Layout)
FRAMES = 30
TIMES = np.arange(FRAMES) / 30
HEIGHTS = {
    "hip": 0.95, "knee": 0.5, "ankle": 0.08, "spine": 1.15, "thorax": 1.4, "neck": 1.5, "head": 1.7,
    "shoulder": 1.4, "elbow": 1.15, "wrist": 0.9, "nose": 1.56, "eye": 1.6, "ear": 1.58,
}  # fmt: skip
WIDTHS = {
    "hip": 0.1,
    "knee": 0.12,
    "ankle": 0.14,
    "shoulder": 0.18,
    "elbow": 0.25,
    "wrist": 0.3,
    "eye": 0.03,
    "ear": 0.07,
}


def standing(joints: tuple[str, ...]) -> np.ndarray:
    """Somebody who stands at the origin and faces the camera; x right, y down: their left is at +x."""
    out = np.zeros((len(joints), 3))
    for j, name in enumerate(joints):
        side, _, part = name.rpartition("_")
        out[j] = [{"left": 1, "right": -1, "": 0}[side] * WIDTHS.get(part, 0.0), -HEIGHTS[part], 0.02 * (j % 3)]
    return out


def person(
    number: int, size: tuple[int, int], at: tuple[float, float, float] = (0.0, 1.0, 5.0), start: int = 0
) -> Person:
    camera = Camera.from_field_of_view(55, size)
    frames = FRAMES - start
    path = np.array(at) + np.linspace(0, 0.5, frames)[:, None] * [1.0, 0.0, 0.0]
    points = camera.project(standing(COCO17.joints) + path[:, None])
    times = TIMES[start:]
    track = Track2D(points, np.ones((frames, 17)), times, np.zeros((frames, 17), bool), start, size)
    body = standing(H36M17.joints)
    poses = Poses3D(np.tile(body - body[0], (frames, 1, 1)), times, path + body[0])
    return Person(number, track, poses, (Action(0.2, 0.5, "walk", 0.8), Action(0.5, 0.7, "unknown", 0.3)))


def recording(*people: Person, size: tuple[int, int] = (320, 240)) -> Recording:
    return Recording(VideoFacts("clip", *size, TIMES), people)


def frame(index: int, size: tuple[int, int] = (320, 240), value: int = 90) -> Frame:
    return Frame(index, Fraction(index, 30), np.full((size[1], size[0], 3), value, np.uint8))


def turned(who: Person, rotation: np.ndarray) -> Person:
    """The same person before a camera that is turned."""
    assert who.poses is not None
    assert who.poses.root is not None
    return replace(
        who, poses=replace(who.poses, points=who.poses.points @ rotation.T, root=who.poses.root @ rotation.T)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(320, 240), (64, 48), (241, 427), (3840, 2160), (3, 2)])
def test_pictures_have_the_size_that_was_promised(layout: Layout, size: tuple[int, int]) -> None:
    renderer = Renderer(recording(person(1, size), size=size), Drawing(layout))
    drawn = renderer.draw(frame(3, size))
    assert drawn.shape[1::-1] == renderer.size
    assert renderer.size[0] % 2 == renderer.size[1] % 2 == 0
    assert drawn.dtype == np.uint8


def test_unknown_layouts_name_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as outside the tests
    with pytest.raises(SettingsError, match="side-by-side, overlay, 3d"):
        Drawing("cubist")


@pytest.mark.parametrize("pitch", [-20.0, 0.0, 20.0, 35.0])
@pytest.mark.parametrize("roll", [0.0, 5.0])
def test_up_is_found_from_standing_bodies(pitch: float, roll: float) -> None:
    rotation = Rotation.from_euler("xz", [pitch, roll], degrees=True).as_matrix()
    who = turned(person(1, (320, 240)), rotation)
    assert who.poses is not None
    angle = np.degrees(np.arccos(np.clip(assumed_world([who.poses]).up @ rotation @ [0, -1, 0], -1, 1)))
    assert angle < 3


def test_up_is_the_cameras_where_nobody_stands() -> None:
    lying = turned(person(1, (320, 240)), Rotation.from_euler("z", 90, degrees=True).as_matrix())
    assert lying.poses is not None
    np.testing.assert_array_equal(assumed_world([lying.poses]).up, [0, -1, 0])
    np.testing.assert_array_equal(assumed_world([]).up, [0, -1, 0])


@pytest.mark.parametrize("pitch", [0.0, 20.0])
def test_the_stage_is_upright_with_one_floor(pitch: float) -> None:
    rotation = Rotation.from_euler("x", pitch, degrees=True).as_matrix()
    who = turned(person(1, (320, 240)), rotation)
    assert who.poses is not None
    assert who.poses.root is not None
    hop = who.poses.root + np.where((TIMES > 0.4) & (TIMES < 0.6), 0.5, 0.0)[:, None] * (rotation @ [0, -1, 0])
    (actor,) = build_scene(recording(replace(who, poses=replace(who.poses, root=hop))))
    ankle, head, left, right = (H36M17.index(n) for n in ("left_ankle", "head", "left_wrist", "right_wrist"))
    np.testing.assert_allclose(actor.joints[0, ankle, 1], 0, atol=0.03)
    np.testing.assert_allclose(actor.joints[0, head, 1] - actor.joints[0, ankle, 1], 1.62, atol=0.03)
    assert actor.joints[15, ankle, 1] > 0.4  # a jump stays a jump
    assert actor.joints[0, left, 0] > actor.joints[0, right, 0]  # as in the picture
    moved = actor.joints[-1, 0] - actor.joints[0, 0]
    np.testing.assert_allclose(moved, [0.5, 0, 0], atol=0.05)


def test_people_without_a_place_stand_apart() -> None:
    def lost(number: int) -> Person:
        who = person(number, (320, 240))
        assert who.poses is not None
        return replace(who, poses=replace(who.poses, root=None))

    first, second = build_scene(recording(lost(1), lost(2)))
    assert np.linalg.norm(first.joints[0, 0] - second.joints[0, 0]) > 1


def test_skeletons_are_drawn_on_the_joints_and_nowhere_else() -> None:
    who = person(1, (320, 240), start=10)
    renderer = Renderer(recording(who), Drawing("overlay"))
    empty = renderer.draw(frame(5))
    np.testing.assert_array_equal(empty, frame(5).image)
    drawn = renderer.draw(frame(12))
    changed = (drawn != 90).any(2)
    for x, y in who.track.points[2]:
        assert changed[int(y), int(x)]
    left, right = (who.track.points[2, COCO17.index(n)].astype(int) for n in ("left_knee", "right_knee"))
    assert drawn[left[1], left[0], 0] > drawn[left[1], left[0], 2]  # orange left
    assert drawn[right[1], right[0], 2] > drawn[right[1], right[0], 0]  # blue right
    low, high = np.nanmin(who.track.points[2], 0) - 60, np.nanmax(who.track.points[2], 0) + 20
    ys, xs = np.nonzero(changed)
    assert (xs > low[0]).all()
    assert (xs < high[0]).all()
    assert (ys < high[1]).all()


def test_the_frame_itself_stays_as_it_is_and_drawing_is_repeatable() -> None:
    renderer = Renderer(recording(person(1, (320, 240))))
    source = frame(4)
    first = renderer.draw(source)
    assert (source.image == 90).all()
    np.testing.assert_array_equal(renderer.draw(source), first)


def test_unseen_joints_are_not_drawn_and_filled_ones_are_dim() -> None:
    who = person(1, (320, 240))
    wrist = COCO17.index("left_wrist")
    x, y = who.track.points[3, wrist].astype(int)

    def shown(**changed: np.ndarray) -> np.ndarray:
        changed_person = replace(who, track=replace(who.track, **changed))
        return Renderer(recording(changed_person), Drawing("overlay")).draw(frame(3))[y, x]

    filled = who.track.filled.copy()
    filled[:, wrist] = True
    assert shown(filled=filled).sum() < shown().sum()
    points = who.track.points.copy()
    points[:, wrist] = np.nan
    assert (shown(points=points) == 90).all()


def test_everybody_unseen_draws_nothing() -> None:
    who = person(1, (320, 240))
    assert who.poses is not None
    track = replace(who.track, points=np.full_like(who.track.points, np.nan))
    poses = replace(who.poses, points=np.full_like(who.poses.points, np.nan), root=np.full((FRAMES, 3), np.nan))
    ghost = recording(replace(who, track=track, poses=poses))
    np.testing.assert_array_equal(Renderer(ghost, Drawing("overlay")).draw(frame(3)), frame(3).image)
    Renderer(ghost, Drawing("3d")).draw(frame(3))
    Renderer(recording(), Drawing("side-by-side")).draw(frame(0))


def test_guesses_are_faint_and_never_seen_joints_are_not_drawn() -> None:
    """Less and less of the legs is on the picture; the rest of the body stays as bright."""
    camera = ViewCamera((300, 300), np.array([0.0, 0.9, 0.0]), 4.0)
    pose = -standing(H36M17.joints) * [-1.0, 1.0, 1.0]
    shanks = [H36M17.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]
    guessed, missing = np.zeros(17, bool), pose.copy()
    guessed[shanks], missing[shanks] = True, np.nan
    pictures = []
    for joints, guesses in ((pose, ~guessed & guessed), (pose, guessed), (missing, guessed)):
        picture = np.zeros((300, 300, 3), np.uint8)
        body = Body.of(1, H36M17, joints, guesses, camera)
        assert body is not None
        body.draw(picture)
        pictures.append(picture.astype(int))
    sure, guess, gone = pictures
    knees, ankles = camera.project(pose[shanks])[0][[0, 1]].astype(int)
    x, y = (knees + ankles) // 2
    assert sure[y - 8 : y + 8, x].max() > 200 > guess[y - 8 : y + 8, x].max() > 90 > gone[y - 8 : y + 8, x].max() == 0
    trunk = slice(None, 110)
    assert (gone[trunk] > 150).sum() == pytest.approx((sure[trunk] > 150).sum(), rel=0.15)


@pytest.mark.parametrize("known", ["left_wrist", "head", "hip"])
def test_a_single_known_joint_can_be_drawn(known: str) -> None:
    who = person(1, (320, 240))
    assert who.poses is not None
    points = np.full_like(who.poses.points, np.nan)
    points[:, H36M17.index(known)] = who.poses.points[:, H36M17.index(known)]
    Renderer(recording(replace(who, poses=replace(who.poses, points=points))), Drawing("3d")).draw(frame(3))


def test_captions_follow_the_timeline() -> None:
    who = person(7, (320, 240))
    assert caption(who, 0.1) == "7"
    assert caption(who, 0.2) == "7  walk 80 %"
    assert caption(who, 0.5) == "7"  # unknown is no claim
    renderer = Renderer(recording(who), Drawing("overlay"))
    before, during = renderer.draw(frame(5)), renderer.draw(frame(6))
    top = int(np.nanmin(who.track.points[5, :, 1])) - 2
    assert (during[:top] != 90).any(2).sum() > (before[:top] != 90).any(2).sum()


def test_the_stage_shows_whom_it_should() -> None:
    who, late = person(1, (320, 240)), person(2, (320, 240), at=(1.5, 1.0, 6.0), start=20)
    renderer = Renderer(recording(who, late), Drawing("3d"))
    one, two = renderer.draw(frame(10)), renderer.draw(frame(25))
    nobody = Renderer(recording(late), Drawing("3d")).draw(frame(3))
    above_legend = [picture[:450].astype(int) for picture in (nobody, one, two)]
    colourful = [int((np.ptp(picture, axis=2) > 80).sum()) for picture in above_legend]
    assert colourful[0] == 0
    assert 0 < colourful[1] < colourful[2]
