import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kinelift.poses import COCO17, COCO23, H36M17, Skeleton
from kinelift.poses.errors import DataError
from kinelift.poses.keypoints import Keypoints, read, read_videos
from kinelift.poses.recording import save
from kinelift.poses.skeleton import BODY25, HALPE26, MPI3DHP17, OPENPOSE18
from tests.poses.keypoints.files import (
    SIZE,
    Frames,
    alphapose,
    annotations,
    check_same,
    crowd,
    person,
    save_objects,
    write_detectron,
    write_openpose,
    write_positions,
    write_results,
)  # fmt: skip
from tests.poses.scenes import person as recorded_person
from tests.poses.scenes import recording


def dumped(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def whole_body(frames: Frames) -> Frames:
    """The people with face and hands: COCO-WholeBody's 133 keypoints."""
    return [[np.concatenate([one, np.full((110, 3), 77.0)]) for one in people] for people in frames]


class TestWholeBody:
    """Face and hands are left out; body and feet stay."""

    frames = crowd(COCO23)

    def test_of_openpose(self, tmp_path: Path) -> None:
        found = read(write_openpose(tmp_path, whole_body(self.frames)))
        check_same(found, self.frames)
        assert found.layout == COCO23

    def test_of_coco(self, tmp_path: Path) -> None:
        found = read(write_results(tmp_path / "r.json", whole_body(self.frames)))
        check_same(found, self.frames)
        assert (found.layout, found.layout_source) == (COCO23, "a list of COCO results of 23 joints")

    def test_of_alphapose(self, tmp_path: Path) -> None:
        found = read(dumped(tmp_path / "r.json", alphapose(whole_body(self.frames))))
        check_same(found, self.frames)
        assert found.layout == COCO23
        np.testing.assert_allclose(found.at(4).confidence, [0.75] * 3)

    def test_feet_of_their_own(self, tmp_path: Path) -> None:
        rows = [
            {"image_id": k, "keypoints": one[:17].ravel().tolist(), "foot_kpts": one[17:].ravel().tolist(),
             "face_kpts": [5.0] * 204}
            for k, people in enumerate(self.frames) for one in people
        ]  # fmt: skip
        found = read(dumped(tmp_path / "r.json", rows))
        check_same(found, self.frames)
        assert found.layout == COCO23
        rows[0]["foot_kpts"] = [1.0, 2.0]
        with pytest.raises(DataError, match="foot_kpts has 2 numbers"):
            read(dumped(tmp_path / "r.json", rows))


class TestOpenPose:
    @pytest.mark.parametrize("layout", [BODY25, OPENPOSE18])
    def test_everybody_is_there(self, tmp_path: Path, layout: Skeleton) -> None:
        frames = crowd(layout)
        found = read(write_openpose(tmp_path, frames))
        check_same(found, frames)
        assert (found.layout, found.size, list(found.frames)) == (layout, None, [0, 1, 2, 3, 4])
        assert found.layout_source == f"OpenPose's JSON of {len(layout)} joints"

    def test_boxes_hold_the_joints_and_confidence_is_their_mean(self, tmp_path: Path) -> None:
        (one,) = read(write_openpose(tmp_path, [[person(BODY25, 0)]])).frames.values()
        x1, y1, x2, y2 = one.boxes[0]
        assert (np.nanmin(one.points[0], 0) > [x1, y1]).all() and (np.nanmax(one.points[0], 0) < [x2, y2]).all()
        assert one.confidence[0] == pytest.approx(one.scores[0][one.scores[0] > 0].mean())

    def test_numbers_are_those_of_the_frames(self, tmp_path: Path) -> None:
        folder = write_openpose(tmp_path / "a", [[person(BODY25, 0)]] * 6, first=7)
        (folder / "walk_000000000009_keypoints.json").unlink()
        found = read(folder)
        assert list(found.frames) == [7, 8, 10, 11, 12]
        assert [len(found.at(k)) for k in range(14)] == [0] * 7 + [1, 1, 0, 1, 1, 1, 0]
        assert list(read(folder, first=7).frames) == [0, 1, 3, 4, 5]
        assert [people.frame for people in read(folder, first=7).frames.values()] == [0, 1, 3, 4, 5]
        with pytest.raises(DataError, match="has a frame 7, so its first frame is not 8"):
            read(folder, first=8)

    def test_one_of_several_videos_is_named(self, tmp_path: Path) -> None:
        write_openpose(tmp_path, [[person(BODY25, 0)]] * 2, "a_1")
        write_openpose(tmp_path, [[person(OPENPOSE18, 0)]] * 3, "b")
        with pytest.raises(DataError, match=r"holds 2 videos\. Choose one: .*/a_1, .*/b\."):
            read(tmp_path)
        with pytest.raises(DataError, match="has no video c"):
            read(tmp_path / "c")
        assert (read(tmp_path / "b").layout, len(read(tmp_path / "a_1").frames)) == (OPENPOSE18, 2)
        assert [found.layout for found in read_videos(tmp_path).values()] == [BODY25, OPENPOSE18]

    def test_layouts_do_not_mix(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"people with \[18, 25\] keypoints"):
            read(write_openpose(tmp_path, [[person(BODY25, 0)], [person(OPENPOSE18, 0)]]))

    @pytest.mark.parametrize("shift", [0.0, -0.5])
    def test_parts_of_the_picture_are_no_pixels(self, tmp_path: Path, shift: float) -> None:
        scaled = person(BODY25, 0)
        scaled[:, :2] = np.where(scaled[:, 2:] > 0, scaled[:, :2] / SIZE + shift, 0)
        with pytest.raises(DataError, match="--keypoint_scale 0"):
            read(write_openpose(tmp_path, [[scaled]] * 3))

    def test_a_file_in_a_corner_is_in_pixels(self, tmp_path: Path) -> None:
        small = person(BODY25, 0) / [40, 40, 1]
        check_same(read(write_openpose(tmp_path, [[small]])), [[small]])

    def test_nobody_is_an_answer(self, tmp_path: Path) -> None:
        found = read(write_openpose(tmp_path, [[], []]))
        assert (found.layout, [len(people) for people in found.frames.values()]) == (BODY25, [0, 0])
        assert "nobody" in found.layout_source
        faces = [{"pose_keypoints_2d": [], "face_keypoints_2d": [1.0] * 210}]
        dumped(tmp_path / "walk_000000000000_keypoints.json", {"people": faces})
        assert len(read(tmp_path).at(0)) == 0

    @pytest.mark.parametrize(("facts", "message"), [
        ([], "is a list, expected an object with people"),
        ({}, "lacks people"),
        ({"people": 3}, "people is a int, expected a list"),
        ({"people": [3]}, r"people\[0\] is a int"),
        ({"people": [{"pose": []}]}, r"people\[0\] lacks pose_keypoints_2d. It has: pose"),
        ({"people": [{"pose_keypoints_2d": [1, 2]}]}, "has 2 numbers, expected three per joint"),
        ({"people": [{"pose_keypoints_2d": ["1"] * 75}]}, "pose_keypoints_2d is not a list of numbers"),
        ({"people": [{"pose_keypoints_2d": [True] * 75}]}, "pose_keypoints_2d is not a list of numbers"),
        ({"people": [{"pose_keypoints_2d": [float("inf"), 1, 1] * 25}]}, "joint 0 is at .inf, 1. with score 1"),
        ({"people": [{"pose_keypoints_2d": [1e9, 1, 1] * 25}]}, r"joint 0 is at .1e\+09, 1."),
        ({"people": [{"pose_keypoints_2d": [1, 1, 1] * 15}]}, "15 keypoints per person.*18.*No known layout|kinect15"),
    ])  # fmt: skip
    def test_what_does_not_fit_is_named(self, tmp_path: Path, facts: Any, message: str) -> None:
        dumped(tmp_path / "walk_000000000000_keypoints.json", facts)
        with pytest.raises(DataError, match=message) as caught:
            read(tmp_path)
        assert str(tmp_path) in str(caught.value)

    def test_names_of_files(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="No OpenPose files"):
            read(tmp_path)
        dumped(tmp_path / "12_keypoints.json", {"people": []})
        assert list(read(tmp_path).frames) == [12]
        dumped(tmp_path / "012_keypoints.json", {"people": []})
        with pytest.raises(DataError, match="both frame 12"):
            read(tmp_path)
        dumped(tmp_path / "walk_keypoints.json", {"people": []})
        with pytest.raises(DataError, match="no frame number"):
            read(tmp_path)

    def test_a_single_frame_is_no_video(self, tmp_path: Path) -> None:
        write_openpose(tmp_path, [[]])
        with pytest.raises(DataError, match="Give the folder"):
            read(tmp_path / "walk_000000000000_keypoints.json")


class TestResults:
    def test_of_coco(self, tmp_path: Path) -> None:
        frames = crowd(COCO17)
        found = read(write_results(tmp_path / "r.json", frames, bbox=[1, 2, 30, 40]))
        check_same(found, frames)
        assert (found.layout, found.layout_source) == (COCO17, "a list of COCO results of 17 joints")
        np.testing.assert_array_equal(found.at(1).confidence, [0.5, 0.5])
        np.testing.assert_array_equal(found.at(1).boxes, [[1, 2, 31, 42]] * 2)

    @pytest.mark.parametrize("layout", [COCO17, HALPE26])
    def test_of_alphapose(self, tmp_path: Path, layout: Skeleton) -> None:
        frames = crowd(layout)
        found = read(dumped(tmp_path / "r.json", alphapose(frames)))
        check_same(found, frames)
        assert (found.layout, found.layout_source) == (layout, f"AlphaPose's results of {len(layout)} joints")
        np.testing.assert_allclose(found.at(4).confidence, [0.75] * 3)
        np.testing.assert_array_equal(found.at(0).boxes, [[10, 20, 110, 220]])

    @pytest.mark.parametrize(("people", "joints"), [("people", "pose_keypoints_2d"), ("bodies", "joints")])
    def test_of_alphapose_in_other_formats(self, tmp_path: Path, people: str, joints: str) -> None:
        frames = crowd(OPENPOSE18)
        images = {
            f"{k}.jpg": {"version": "AlphaPose v0.3", people: [{joints: p.ravel().tolist()} for p in found]}
            for k, found in enumerate(frames)
            if found
        }
        found = read(dumped(tmp_path / "r.json", images))
        check_same(found, frames)
        assert found.layout == OPENPOSE18

    def test_scores_that_are_none(self, tmp_path: Path) -> None:
        one = person(COCO17, 0)
        (people,) = read(write_results(tmp_path / "r.json", [[one]], score=3.5)).frames.values()
        assert people.confidence[0] == pytest.approx(one[one[:, 2] > 0, 2].mean())

    def test_a_count_alone_tells_nothing(self, tmp_path: Path) -> None:
        frames = crowd(HALPE26)
        path = write_results(tmp_path / "r.json", frames)
        with pytest.raises(DataError, match=r"26 keypoints per person.*--keypoint-layout\. With 26 joints: halpe26"):
            read(path)
        found = read(path, "halpe26")
        check_same(found, frames)
        assert (found.layout, found.layout_source) == (HALPE26, "as requested")

    def test_what_was_asked_for_counts(self, tmp_path: Path) -> None:
        path = write_results(tmp_path / "r.json", crowd(COCO17))
        assert (read(path, "h36m17").layout, read(path, "mpi3dhp17").layout) == (H36M17, MPI3DHP17)
        with pytest.raises(DataError, match=r"17 keypoints per person, but the layout body25 has 25.*coco17, h36m17"):
            read(path, "body25")
        with pytest.raises(DataError, match="Unknown skeleton 'coco'"):
            read(path, "coco")

    @pytest.mark.parametrize(("image", "frame"), [
        (3, 3), (3.0, 3), ("3", 3), ("3.jpg", 3), ("walk_0003.png", 3), ("walk.mp4_0003.jpg", 3), ("a/b7/003.JPEG", 3),
        ("walk_0003_rgb.png", 3), ("000000397133", 397133),
    ])  # fmt: skip
    def test_images_are_numbered(self, tmp_path: Path, image: Any, frame: int) -> None:
        found = read(write_results(tmp_path / "r.json", [[person(COCO17, 0)]], image_id=image))
        assert list(found.frames) == [frame]

    @pytest.mark.parametrize("image", [True, None, -1, 2.5, "walk.mp4", "", [3], float("nan")])
    def test_other_images_are_refused(self, tmp_path: Path, image: Any) -> None:
        with pytest.raises(DataError, match=r"r\.json: entry 0.*image_id"):
            read(write_results(tmp_path / "r.json", [[person(COCO17, 0)]], image_id=image))

    def test_several_videos(self, tmp_path: Path) -> None:
        frames = crowd(COCO17)
        both = alphapose(frames, "left/{}.jpg") + alphapose(frames[::-1], "right/{}.jpg")
        path = dumped(tmp_path / "r.json", both)
        with pytest.raises(DataError, match=r"2 videos. Choose one: .*r\.json/left, .*r\.json/right"):
            read(path)
        check_same(read(path / "right"), frames[::-1])

    @pytest.mark.parametrize(("changed", "message"), [
        ({"keypoints": 3}, "keypoints is a int"), ({"keypoints": []}, "keypoints is empty"),
        ({"keypoints": [1.0, 2.0, None] * 17}, "keypoints is not a list of numbers"),
        ({"bbox": [1, 2, -3, 4]}, "bbox is .*-3"), ({"bbox": [1, 2, float("nan"), 4]}, "bbox is"),
        ({"bbox": [1, 2]}, "bbox has 2 numbers, expected 4"), ({"score": "high"}, "score is a str"),
        ({"score": float("inf")}, "score is inf"),
    ])  # fmt: skip
    def test_what_does_not_fit_is_named(self, tmp_path: Path, changed: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=rf"r\.json: entry 0.*{message}"):
            read(write_results(tmp_path / "r.json", [[person(COCO17, 0)]], **changed))

    def test_categories_do_not_mix(self, tmp_path: Path) -> None:
        rows = [{"image_id": 1, "category_id": k, "keypoints": [9.0] * 51, "score": 1} for k in (1, 17)]
        with pytest.raises(DataError, match="categories 1, 17"):
            read(dumped(tmp_path / "r.json", rows))

    def test_nan_is_not_seen(self, tmp_path: Path) -> None:
        one = person(COCO17, 0)
        one[0] = np.nan
        found = read(write_results(tmp_path / "r.json", [[one]]))
        check_same(found, [[np.nan_to_num(one)]])

    def test_an_empty_list_is_nobody(self, tmp_path: Path) -> None:
        found = read(dumped(tmp_path / "r.json", []))
        assert (found.layout, found.frames) == (COCO17, {})


class TestAnnotations:
    def test_names_tell_the_layout(self, tmp_path: Path) -> None:
        frames = crowd(COCO17)
        found = read(dumped(tmp_path / "a.json", annotations(frames)))
        check_same(found, frames)
        assert (found.layout, found.size, found.layout_source) == (COCO17, SIZE, "categories name the joints")
        assert list(found.frames) == [0, 1, 2, 3, 4]

    def test_names_tell_the_order(self, tmp_path: Path) -> None:
        order = np.random.default_rng(0).permutation(17)
        frames = crowd(COCO17)
        mixed = [[p[order] for p in people] for people in frames]
        names = [COCO17.joints[j].replace("_", " ").title() for j in order]
        check_same(read(dumped(tmp_path / "a.json", annotations(mixed, names))), frames)

    def test_some_joints_of_a_layout(self, tmp_path: Path) -> None:
        frames = crowd(HALPE26)
        few = ["head", "neck", *COCO17.joints]
        columns = [HALPE26.index(name) for name in few]
        found = read(dumped(tmp_path / "a.json", annotations([[p[columns] for p in f] for f in frames], few)))
        rest = np.isin(np.arange(26), columns)[:, None]
        check_same(found, [[p * rest for p in people] for people in frames])
        assert found.layout == HALPE26

    def test_h36m_is_no_coco(self, tmp_path: Path) -> None:
        content = annotations(crowd(H36M17), H36M17.joints)
        assert read(dumped(tmp_path / "a.json", content)).layout == H36M17
        assert read(tmp_path / "a.json", "coco17").layout == COCO17

    def test_labels_are_no_scores(self, tmp_path: Path) -> None:
        one = np.concatenate([np.full((17, 2), 50.0), np.repeat([0, 1, 2], [5, 6, 6])[:, None]], -1)
        (people,) = read(dumped(tmp_path / "a.json", annotations([[one]]))).frames.values()
        np.testing.assert_array_equal(people.scores[0], [0] * 5 + [1] * 12)

    @pytest.mark.parametrize(("break_it", "message"), [
        (lambda f: f.pop("images"), "lacks images"),
        (lambda f: f.pop("categories"), "lacks categories"),
        (lambda f: f["categories"][0].pop("keypoints"), "categories has 0 with keypoints of people"),
        (lambda f: f["categories"][0]["keypoints"].append("tail"), "tail, which no known layout has"),
        (lambda f: f["categories"].append(5), r"categories\[1\] is a int"),
        (lambda f: f["images"].clear(), "images is empty"),
        (lambda f: f["images"][1].update(file_name="walk_000000.png"), "two images are the same frame"),
        (lambda f: f["images"][1].update(width=7), "pictures of different sizes"),
        (lambda f: [image.update(width=-7) for image in f["images"]], "picture size of -7 × 480 px"),
        (lambda f: f["annotations"][0].update(image_id=5), r"annotations\[0\]: image_id is 5, which is not in images"),
        (lambda f: f["annotations"][0].update(keypoints=[1, 2, 3]), "has 3 numbers, expected 51"),
        (lambda f: f["annotations"][0].pop("keypoints"), r"annotations\[0\] lacks keypoints"),
        (lambda f: f["annotations"].append([]), r"annotations\[7\] is a list"),
    ])  # fmt: skip
    def test_what_does_not_fit_is_named(self, tmp_path: Path, break_it: Callable[[Any], Any], message: str) -> None:
        facts = annotations(crowd(COCO17))
        break_it(facts)
        with pytest.raises(DataError, match=rf"a\.json.*{message}"):
            read(dumped(tmp_path / "a.json", facts))


class TestDetectron:
    def test_everybody_is_there(self, tmp_path: Path) -> None:
        frames = crowd(COCO17)
        found = read(write_detectron(tmp_path / "walk.mp4.npz", frames))
        check_same(found, frames, 1e-4)
        assert (found.layout, found.size, list(found.frames)) == (COCO17, SIZE, [0, 1, 2, 3, 4])
        np.testing.assert_allclose(found.at(1).boxes, [[5, 6, 70, 80], [5, 6, 70, 81]])
        np.testing.assert_allclose(found.at(1).confidence, [0.9, 0.8])

    def test_as_numpy_packs_regular_lists(self, tmp_path: Path) -> None:
        frames = [[person(COCO17, t)] for t in range(3)]
        path = write_detectron(tmp_path / "a.npz", frames)
        with np.load(path, allow_pickle=True) as file:
            arrays = dict(file)
        for key in ("boxes", "keypoints"):
            arrays[key] = np.array([[one[0], one[1]] for one in arrays[key]], dtype=object)
            assert arrays[key].shape == (3, 2)
        np.savez(path, **arrays)
        check_same(read(path), frames, 1e-4)
        nobody = np.zeros((3, 2, 0))
        np.savez(path, boxes=nobody, keypoints=nobody, metadata=np.array({"w": 9, "h": 9}))
        check_same(read(path), [[], [], []])

    def test_detectron_1_says_nobody_otherwise(self, tmp_path: Path) -> None:
        frames = [[person(COCO17, 0)], [], []]
        path = write_detectron(tmp_path / "a.npz", frames)
        with np.load(path, allow_pickle=True) as file:
            boxes, keypoints = list(file["boxes"]), list(file["keypoints"])
        keypoints[0] = [[], list(keypoints[0][1])]
        keypoints[1] = None
        boxes[2] = [[], np.zeros((0, 5), np.float32)]
        check_same(read(write_detectron(path, frames, boxes=boxes, keypoints=keypoints)), frames, 1e-4)

    @pytest.mark.parametrize(("changed", "message"), [
        ({"metadata": {"w": 640}}, "metadata is .* Expected"),
        ({"metadata": {"w": 0, "h": 5}}, "picture size of 0 × 5"),
        ({"boxes": [[[], []]]}, "1 frames of boxes and 2 of keypoints"),
        ({"boxes": [[[], []], [[], []]]}, "frame 0 has 0 boxes and 1 people"),
        ({"keypoints": [[[]], [[]]]}, "frame 0 of keypoints has no entry for the class of people"),
        ({"keypoints": [[[], np.zeros((1, 3, 17))], None]}, r"frame 0, person 0 of keypoints has shape \(3, 17\)"),
        ({"keypoints": [[[], ["a"]], None]}, "frame 0, person 0 of keypoints has shape"),
        ({"keypoints": [[[], np.full((1, 4, 17), np.inf)], None]}, "frame 0, person 0: joint 0 is at .inf"),
        ({"keypoints": [[[], np.full((1, 4, 20), 9.0)], None]}, "20 keypoints per person.*kinect20"),
        ({"keypoints": 3}, "keypoints is a ndarray, expected a list"),
    ])  # fmt: skip
    def test_what_does_not_fit_is_named(self, tmp_path: Path, changed: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=rf"a\.npz.*{message}"):
            read(write_detectron(tmp_path / "a.npz", [[person(COCO17, 0)], []], **changed))


class TestPositions:
    def test_one_video(self, tmp_path: Path) -> None:
        points = np.random.default_rng(0).uniform(0, 400, (6, 17, 2))
        points[2, 3] = np.nan
        found = read(write_positions(tmp_path / "data_2d_custom_a.npz", {"walk.mp4": points}))
        rows = np.concatenate([points, np.ones((6, 17, 1))], -1)
        rows[2, 3] = 0
        check_same(found, [[row] for row in rows], 1e-4)
        assert (found.layout, found.size, found.layout_source) == (COCO17, SIZE, "metadata names coco")

    def test_several_videos(self, tmp_path: Path) -> None:
        points = np.random.default_rng(0).uniform(0, 400, (6, 17, 2))
        path = write_positions(tmp_path / "data_2d_custom_a.npz", {"walk.mp4": points, "run.mp4": points[:2]})
        with pytest.raises(DataError, match=r"2 videos. Choose one: .*custom_a\.npz/walk\.mp4, "):
            read(path)
        assert len(read(path / "run.mp4").frames) == 2

    def test_a_name_tells_17_joints_apart(self, tmp_path: Path) -> None:
        points = {"a": np.random.default_rng(0).uniform(0, 400, (6, 17, 2))}
        path = tmp_path / "a.npz"
        assert read(write_positions(path, points, layout_name="h36m")).layout == H36M17
        for name in ("mpii", None, ["coco"]):
            with pytest.raises(DataError, match=r"names the unknown layout.*--keypoint-layout"):
                read(write_positions(path, points, layout_name=name))
            assert read(path, "coco17").layout == COCO17
        with pytest.raises(DataError, match="17 keypoints per person, but the layout humaneva15"):
            read(write_positions(path, points, layout_name="humaneva15"))

    @pytest.mark.parametrize(("content", "message"), [
        ({}, "is not .*with metadata"), ([1], "is not .*with metadata"), ({"a": 3}, "does not have exactly one action"),
        ({"a": {"custom": []}}, "does not have exactly one array"),
        ({"a": {"custom": [np.zeros((5, 17, 4))]}}, "4 numbers per joint"),
        ({"a": {"Walk": [np.zeros((5, 17, 2))] * 4}}, "does not have exactly one array"),
        ({"a": {"Walk": [], "Run": []}}, "does not have exactly one action"),
    ])  # fmt: skip
    def test_what_does_not_fit_is_named(self, tmp_path: Path, content: Any, message: str) -> None:
        save_objects(tmp_path / "a.npz", positions_2d=content, metadata={"layout_name": "coco"})
        with pytest.raises(DataError, match=rf"a\.npz.*{message}"):
            read(tmp_path / "a.npz")

    def test_sizes_are_checked(self, tmp_path: Path) -> None:
        points = {"a": np.full((1, 17, 2), 50.0)}
        assert read(write_positions(tmp_path / "a.npz", points, video_metadata={})).size is None
        for sizes in ([3], {"a": {"w": -3, "h": 4}}, {"a": {"w": 3}}):
            with pytest.raises(DataError, match=r"a\.npz.*(video_metadata|-3 × 4)"):
                read(write_positions(tmp_path / "a.npz", points, video_metadata=sizes))


def test_recordings_lose_what_was_filled_in(tmp_path: Path) -> None:
    people = (recorded_person(1, 0, 20), recorded_person(4, 5, 10))
    save(tmp_path / "r.npz", recording(*people))
    found = read(tmp_path / "r.npz")
    expected: list[list[np.ndarray]] = [[] for _ in range(20)]
    for one in people:
        track = one.track
        seen = np.isfinite(track.points).all(-1) & ~track.filled
        for t, row in enumerate(np.concatenate([track.points, track.scores[..., None]], -1)):
            expected[track.start + t].append(np.where(seen[t][:, None], row, 0))
    check_same(found, expected, atol=1 / 32)
    assert (found.layout, found.size, found.layout_source) == (COCO17, (64, 48), "the recording names it")
    assert read(tmp_path / "r.npz", "h36m17").layout == H36M17
    with pytest.raises(DataError, match="17 keypoints per person, but the layout body25"):
        read(tmp_path / "r.npz", "body25")


@pytest.mark.parametrize("name", ["gone", "gone.json", "gone/walk", "no\0name", "x" * 300])
def test_what_is_not_there(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read(tmp_path / name)


@pytest.mark.parametrize(("name", "content"), [
    ("a.json", b""), ("a.json", b"{"), ("a.json", b"3"), ("a.json", b"{}"), ("a.json", b'{"a": {}}'),
    ("a.json", b"\xff"),
    ("a.json", b"[" * 100_000), ("a.json", b'[{"image_id": ' + b"1" * 5000 + b"}]"), ("a.npz", b""), ("a.npz", b"PK"),
    ("a.mp4", b"data"), ("a", b"{}"),
])  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=name):
        read(tmp_path / name)


def test_another_npz_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", points=np.zeros(3))
    with pytest.raises(DataError, match="It has: points"):
        read(tmp_path / "a.npz")


def test_sizes_and_joints_are_checked() -> None:
    with pytest.raises(DataError, match="0 × 5 px"):
        Keypoints("a", COCO17, "", {}, (0, 5))
