"""MMPose, Ultralytics, MHFormer, Halpe's 136 joints, and OpenPose with other names."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.poses import COCO17, H36M17
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import read
from kinelift.poses.skeleton import COCO23, HALPE26

POINTS = [[100.0 + k, 50.0 + 9 * k] for k in range(17)]
SCORES = [0.5 + k / 50 for k in range(17)]
FLAT = [value for point, score in zip(POINTS, SCORES, strict=True) for value in (*point, score)]
MMPOSE = {"keypoints": POINTS, "keypoint_scores": SCORES, "bbox": [[90, 40, 130, 260]], "bbox_score": 0.9}
ULTRALYTICS = {
    "name": "person", "class": 0, "confidence": 0.8, "box": {"x1": 90.0, "y1": 40.0, "x2": 130.0, "y2": 260.0},
    "keypoints": {"x": [x for x, _ in POINTS], "y": [y for _, y in POINTS], "visible": SCORES},
}  # fmt: skip


def written(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("document", "confidence"),
    [
        ([{"frame_id": k, "instances": [MMPOSE] if k != 1 else []} for k in range(3)], 0.9),
        (
            {
                "meta_info": {},
                "instance_info": [{"frame_id": k + 1, "instances": [MMPOSE] if k != 1 else []} for k in range(3)],
            },
            0.9,
        ),
        ([[ULTRALYTICS], [], [{"name": "dog", "class": 16, "box": {}}, ULTRALYTICS]], 0.8),
    ],
)
def test_people_come_as_they_were_found(tmp_path: Path, document: Any, confidence: float) -> None:
    found = read(written(tmp_path / "k.json", document))
    assert found.layout == COCO17
    assert [len(found.frames[k]) for k in range(3)] == [1, 0, 1]
    for frame in (0, 2):
        people = found.frames[frame]
        np.testing.assert_allclose(people.points[0], POINTS)
        np.testing.assert_allclose(people.scores[0], SCORES)
        np.testing.assert_allclose(people.boxes[0], [90, 40, 130, 260])
        assert people.confidence[0] == confidence


@pytest.mark.parametrize(("extra", "layout"), [(0, COCO17), (116, COCO23), (119, HALPE26)])
def test_whole_bodies_are_read_without_face_and_hands(tmp_path: Path, extra: int, layout: Any) -> None:
    joints = FLAT + [70.0, 80.0, 0.4] * extra
    rows = [
        {"image_id": "7.jpg", "category_id": 1, "score": 2.9, "box": [90, 40, 40, 220], "idx": 1, "keypoints": joints}
    ]
    found = read(written(tmp_path / "k.json", rows))
    assert found.layout == layout
    np.testing.assert_allclose(found.frames[7].points[0, :17], POINTS)


def test_mhformers_keypoints_are_human36ms(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(10, 300, (1, 4, 17, 2))
    np.savez(tmp_path / "keypoints.npz", reconstruction=points)
    found = read(tmp_path / "keypoints.npz")
    assert (found.layout, len(found.frames)) == (H36M17, 4)
    np.testing.assert_allclose(found.frames[3].points, points[:, 3])


@pytest.mark.parametrize("name", ["frame0001", "frame_0001", "a-1", "0001", "cam2_000000000001"])
@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
def test_openposes_names_and_keys(tmp_path: Path, name: str, key: str) -> None:
    written(tmp_path / f"{name}_keypoints.json", {"people": [{key: [*FLAT, 9.0, 9.0, 0.9]}]})
    found = read(tmp_path, first=1)
    np.testing.assert_allclose(found.frames[0].points[0, :17], POINTS)


@pytest.mark.parametrize(
    "document",
    [
        [{"instances": [{"keypoints": POINTS}]}],
        [{"instances": [{"keypoints": POINTS, "keypoint_scores": SCORES[:3]}]}],
        [{"instances": [{"keypoints": [[1.0]], "keypoint_scores": [1.0]}]}],
        [{"instances": 3}],
        {"instance_info": [{"frame_id": 0, "instances": [MMPOSE]}]},
        {"instance_info": [3]},
        [[{"name": "person", "keypoints": {"x": [1.0], "y": []}}]],
        [[], 3],
    ],
)
def test_damage_is_told(tmp_path: Path, document: Any) -> None:
    with pytest.raises(DataError, match=r"k\.json"):
        read(written(tmp_path / "k.json", document))


def test_joints_that_ultralytics_puts_into_the_corner_were_not_seen(tmp_path: Path) -> None:
    keypoints = {"x": [0.0] + [x for x, _ in POINTS[1:]], "y": [0.0] + [y for _, y in POINTS[1:]], "visible": SCORES}
    people = read(written(tmp_path / "k.json", [[ULTRALYTICS | {"keypoints": keypoints}]])).at(0)
    assert np.isnan(people.points[0, 0]).all() and people.scores[0, 0] == 0 and (people.scores[0, 1:] > 0).all()
