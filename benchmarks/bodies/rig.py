"""The calibrated clips, and reference poses triangulated from their cameras."""

import xml.etree.ElementTree as Xml
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from pathlib import Path

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from kinelift.app.video import Video
from kinelift.poses import Frame
from kinelift.poses.camera import Camera, Distortion, Extrinsics

CLIPS: Mapping[str, str] = {"single": "Pose2Sim/Demo_SinglePerson", "multi": "Pose2Sim/Demo_MultiPerson"}
"""Folders in the archive: a man on a treadmill, and the same recording with a woman rendered into it."""
SIZE = (1088, 1920)
RATE = 60
DOUBT = 12.0
"""Residual, px, at which an observation has half weight in the triangulation."""
ROUNDS = 20
"""Number of alternations between triangulating and refining the cameras' rotations."""
SAME = 30.0
"""Mean error, px (each clipped at 100), up to which tracks in several views may be the same person."""


@dataclass(frozen=True)
class View:
    """One of the cameras: intrinsics, extrinsics and frames."""

    camera: Camera
    place: Extrinsics
    frames: list[Frame]

    def image(self, points: Float[np.ndarray, "*many 3"]) -> Float[np.ndarray, "*many 2"]:
        """Project world points to the picture, px."""
        return self.camera.project(self.place.to_camera(points))

    def turned(self, rotation: Float[np.ndarray, " 3"]) -> "View":
        """The view rotated by a rotation vector in the camera frame."""
        axes = Rotation.from_rotvec(rotation).as_matrix() @ self.place.rotation
        return replace(self, place=Extrinsics(axes, self.place.centre))


def read(archive: Path, clip: str, folder: Path, frames: int) -> list[View]:
    """Read the views of a clip; its videos are extracted to ``folder``."""
    with zipfile.ZipFile(archive) as opened:
        calibration = Xml.fromstring(opened.read(f"{CLIPS[clip]}/calibration/Calib.qca.txt"))
        views = []
        for camera in calibration.iter("camera"):
            path = Path(opened.extract(f"{CLIPS[clip]}/videos/{camera.attrib['serial']}.mp4", folder))
            views.append(View(*calibrated(camera), list(islice(Video(path).frames(), frames))))
    return views


def calibrated(camera: Xml.Element) -> tuple[Camera, Extrinsics]:
    """Convert a Qualisys calibration: 64ths of pixels, millimetres, axes right, up and backward."""
    lens, place = (
        {k: float(v) for k, v in part.attrib.items()}
        for part in map(camera.find, ("intrinsic", "transform"))
        if part is not None
    )
    bend = Distortion(
        lens["radialDistortion1"], lens["radialDistortion2"], lens["tangentalDistortion1"],
        lens["tangentalDistortion2"], lens["radialDistortion3"],
    )  # fmt: skip
    focal, centre = ((lens[f"{what}U"] / 64, lens[f"{what}V"] / 64) for what in ("focalLength", "centerPoint"))
    axes = np.array([[place[f"r{row}{column}"] for column in (1, 2, 3)] for row in (1, 2, 3)])
    rotation = np.linalg.svd(np.diag([1.0, -1.0, -1.0]) @ axes)
    where = np.array([place[axis] for axis in "xyz"]) / 1000
    return Camera(focal, centre, bend), Extrinsics(rotation[0] @ rotation[2], where)


def consensus(
    views: Sequence[View], answers: Sequence[Sequence[Float[np.ndarray, "T J 2"]]]
) -> Float[np.ndarray, "T J 3"]:
    """Triangulate world points, m, from several detectors' keypoints.

    Iteratively reweighted linear triangulation with weights 1 / (1 + (error / ``DOUBT``)²).

    Args:
        views: The cameras.
        answers: For each detector, the keypoints in each view.
    """
    pixels = np.stack([points for way in answers for points in way])
    cameras = [view for _ in answers for view in views]
    equations = np.stack([_equations(view, points) for view, points in zip(cameras, pixels, strict=True)])
    weights = np.isfinite(pixels).all(axis=-1).astype(float)
    truth = np.zeros((*pixels.shape[1:3], 3))
    for _ in range(30):
        stacked = (np.nan_to_num(equations) * weights[..., None, None]).transpose(1, 2, 0, 3, 4)
        solved = np.linalg.svd(stacked.reshape(*truth.shape[:2], -1, 4))[2][..., -1, :]
        truth = solved[..., :3] / solved[..., 3:]
        errors = np.stack([np.linalg.norm(v.image(truth) - p, axis=-1) for v, p in zip(cameras, pixels, strict=True)])
        weights = np.nan_to_num(1 / (1 + (errors / DOUBT) ** 2))
    return truth


def _equations(view: View, points: Float[np.ndarray, "T J 2"]) -> Float[np.ndarray, "T J 2 4"]:
    """Two rows r with r · (x, y, z, 1) = 0 for each world point observed at ``points``."""
    rotation = view.place.rotation
    matrix = np.column_stack([rotation, -rotation @ view.place.centre])
    return view.camera.plane(points)[..., None] * matrix[2] - matrix[:2]


def turned(views: Sequence[View], answers: Sequence[Sequence[Float[np.ndarray, "T J 2"]]]) -> list[View]:
    """Refine each camera's rotation so that all keypoints of one person agree best.

    The published rotations are about 1° off, which is 4 cm at the people's distance: more than the errors to measure.
    Triangulation and refinement alternate, on every fifth frame.
    """
    few = [[points[::5] for points in way] for way in answers]
    turns = np.zeros((len(views), 3))
    for _ in range(ROUNDS):
        now = [view.turned(turn) for view, turn in zip(views, turns, strict=True)]
        truth = consensus(now, few)
        turns = np.stack(
            [
                _turn(view, turn, truth, [way[k] for way in few])
                for k, (view, turn) in enumerate(zip(views, turns, strict=True))
            ]
        )
    return [view.turned(turn) for view, turn in zip(views, turns, strict=True)]


def _turn(
    view: View,
    start: Float[np.ndarray, " 3"],
    truth: Float[np.ndarray, "T J 3"],
    answers: Sequence[Float[np.ndarray, "T J 2"]],
) -> Float[np.ndarray, " 3"]:
    """The rotation of a camera that best fits its keypoints to the reference; large errors count linearly."""
    pixels = np.stack(answers)
    seen = np.isfinite(pixels).all(axis=-1)

    def errors(rotation: Float[np.ndarray, " 3"]) -> Float[np.ndarray, " E"]:
        return ((view.turned(rotation).image(truth) - pixels)[seen] / DOUBT).ravel()

    return least_squares(errors, start, loss="soft_l1", max_nfev=5).x


def matched(views: Sequence[View], tracks: Sequence[Sequence[Float[np.ndarray, "T J 2"]]]) -> list[tuple[int, ...]]:
    """The people visible in all views: the index of their track in each view, best agreement first."""
    found: list[tuple[int, ...]] = []
    ranked = []
    for combination in product(*(range(len(some)) for some in tracks)):
        answer = [some[k][::10] for some, k in zip(tracks, combination, strict=True)]
        truth = consensus(views, [answer])
        errors = [
            np.linalg.norm(view.image(truth) - points, axis=-1) for view, points in zip(views, answer, strict=True)
        ]
        ranked.append((float(np.nanmean(np.minimum(errors, 100.0))), combination))
    for error, combination in sorted(ranked):
        if error < SAME and not any(a == b for one in found for a, b in zip(one, combination, strict=True)):
            found.append(combination)
    return found


def nearest(
    view: View, tracks: Sequence[Float[np.ndarray, "T J 2"]], truth: Float[np.ndarray, "T J 3"]
) -> Float[np.ndarray, "T J 2"]:
    """The track in a view that is closest to the projection of ``truth``."""
    image = view.image(truth)
    return min(tracks, key=lambda track: float(np.nanmean(np.minimum(np.linalg.norm(track - image, axis=-1), 200.0))))
