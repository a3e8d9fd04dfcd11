"""BVH and GLB hold the recorded motion, as read by small readers, by Blender and by Khronos's validator."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kinelift.app.export.formats import Format, export
from kinelift.app.export.placing import IN_WORLD, Placed, place
from kinelift.poses import Recording, World
from kinelift.poses.kinematics.rig import NODES
from tests.app.export.animation_files import Glb, read_bvh
from tests.app.export.readers import blender, gltf_report
from tests.app.export.samples import sample, uneven

FRAMES = [40, 57, 74, 91, 108, 125, 142, 159, 176, 199]
"""Ten frames of the video in which both people are tracked."""
MILLIMETRE = 1e-3


@pytest.fixture(scope="module")
def recording() -> Recording:
    return sample()


def node_at(joint: str) -> str:
    """The node that lies at a joint, and has no other purpose than to end a bone only if there is no other one."""
    here = sorted((node for node in NODES if node.joint == joint), key=lambda node: node.tip)
    return here[0].name if not here[0].tip else f"{here[0].parent} end"


def recorded(person: Placed, frames: list[int]) -> np.ndarray:
    return person.points[[frame - person.start for frame in frames]]


def written(folder: Path, recording: Recording, to: Format, **options: str) -> tuple[Path, ...]:
    files = export(folder / to.file, recording, to, **options)
    assert sorted(files) == sorted(folder.iterdir())
    return files


class TestBvh:
    def test_joints_are_those_of_the_recording(self, tmp_path: Path, recording: Recording) -> None:
        *files, _ = written(tmp_path, recording, Format.BVH)
        assert [path.name for path in files] == ["poses3d-person1.bvh", "poses3d-person2.bvh"]
        for path, person in zip(files, place(recording).people, strict=True):
            read, joints = read_bvh(path), person.poses.skeleton.joints
            assert read.frame_time == pytest.approx(1 / 30, abs=1e-9) and len(read.places["hips"]) == 230
            found = np.stack([read.places[node_at(joint)] for joint in joints], axis=1)
            own = slice(person.start, person.start + len(person.points))
            assert np.linalg.norm(found[own] - person.points, axis=-1).max() < 0.05 * MILLIMETRE
            np.testing.assert_allclose(found[: person.start], found[[person.start]].repeat(person.start, 0), atol=1e-6)

    def test_the_sidecar_says_what_is_guessed(self, tmp_path: Path, recording: Recording) -> None:
        *_, sidecar = written(tmp_path, recording, Format.BVH)
        facts = json.loads(sidecar.read_text())
        assert (facts["rate"], facts["resampled"], facts["coordinates"]) == (30.0, False, IN_WORLD)
        second = facts["people"][1]
        assert second["file"] == "poses3d-person2.bvh" and second["bone_residual_max_mm"] < 0.05
        absent = [(span["first"], span["last"]) for span in second["guessed"] if span["why"] == "absent"]
        assert absent == [(0, 37), (200, 229)]
        person = place(recording).people[1]
        assert person.poses.seen is not None
        unseen = np.zeros(person.poses.seen.shape, dtype=bool)
        for span in second["guessed"]:
            if span["why"] == "unseen":
                joint = person.poses.skeleton.index(span["joint"])
                unseen[span["first"] - person.start : span["last"] + 1 - person.start, joint] = True
        np.testing.assert_array_equal(unseen, person.poses.seen == 0)

    def test_a_varying_rate_is_resampled_and_said(self, tmp_path: Path, recording: Recording) -> None:
        varied = uneven(recording)
        path, *_, sidecar = written(tmp_path, varied, Format.BVH)
        facts, read = json.loads(sidecar.read_text()), read_bvh(path)
        assert facts["resampled"] and 1 / read.frame_time == pytest.approx(facts["rate"])
        person, times = place(varied).people[0], np.arange(len(read.places["hips"])) * read.frame_time
        inside = times <= person.poses.times[-1]
        hip = np.stack([np.interp(times, person.poses.times, axis) for axis in person.points[:, 0].T], axis=1)
        assert np.abs(read.places["hips"] - hip)[inside].max() < MILLIMETRE
        thigh = np.linalg.norm(read.places["left_shank"] - read.places["left_thigh"], axis=-1)
        assert np.ptp(thigh) < 0.01 * MILLIMETRE

    def test_bones_that_change_length_are_said(self, tmp_path: Path, recording: Recording) -> None:
        person = recording.people[1]
        assert person.poses is not None
        stretch = 1 + 0.05 * np.sin(np.arange(len(person.poses.points)))[:, None, None]
        loose = replace(person, poses=replace(person.poses, points=person.poses.points * stretch))
        *_, sidecar = written(tmp_path, replace(recording, people=(loose,)), Format.BVH)
        assert 20 < json.loads(sidecar.read_text())["people"][0]["bone_residual_max_mm"] < 100

    def test_mixamo_names(self, tmp_path: Path, recording: Recording) -> None:
        path, *_ = written(tmp_path, recording, Format.BVH, names="mixamo")
        names = {name for name in read_bvh(path).places if not name.endswith(" end")}
        limbs = ("Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase")
        wanted = [
            "Hips",
            "Spine",
            "Spine1",
            "Neck",
            "Head",
            *(f"{side}{limb}" for side in ("Left", "Right") for limb in limbs),
        ]
        assert {f"mixamorig:{name}" for name in wanted} <= names

    def test_without_a_world_it_stands_upright_in_front_of_the_camera(
        self, tmp_path: Path, recording: Recording
    ) -> None:
        path, *_, sidecar = written(tmp_path, replace(recording, world=None), Format.BVH)
        assert json.loads(sidecar.read_text())["coordinates"].startswith("camera")
        read = read_bvh(path)
        assert (read.places["head"] - read.places["hips"])[:60, 1].min() > 0.3
        joints = [name for name in read.places if not name.endswith(("toe end", "hand end"))]
        lowest = min(read_bvh(one).places[joint][:, 1].min() for one in tmp_path.glob("*.bvh") for joint in joints)
        assert lowest == pytest.approx(0, abs=1e-5)

    @pytest.mark.readers
    def test_blender_has_the_joints_where_they_were_recorded(self, tmp_path: Path, recording: Recording) -> None:
        path = written(tmp_path, recording, Format.BVH)[1]
        read = blender(path, [frame + 1 for frame in FRAMES])  # Blender counts from 1
        assert read["fps"] == pytest.approx(30, abs=1e-4)
        person = place(recording).people[1]
        found = _in_blender(read, "poses3d-person2", person.poses.skeleton.joints)
        _same_place(found, recorded(person, FRAMES))


class TestGlb:
    def test_joints_are_those_of_the_recording(self, tmp_path: Path, recording: Recording) -> None:
        path, _ = written(tmp_path, recording, Format.GLB)
        glb = Glb(path)
        for skin, person in zip(glb.document["skins"], place(recording).people, strict=True):
            hips = skin["joints"][0]
            times, _ = glb.channels(hips)["translation"]
            np.testing.assert_allclose(times, person.poses.times, atol=1e-6)
            places = glb.places(hips)
            names = {
                joint: next(node.name for node in NODES if node.joint == joint)
                for joint in person.poses.skeleton.joints
            }
            found = np.stack([places[names[joint]] for joint in person.poses.skeleton.joints], axis=1)
            assert np.linalg.norm(found - person.points, axis=-1).max() < 0.1 * MILLIMETRE

    def test_bodies_are_skinned_at_rest_and_closed(self, tmp_path: Path, recording: Recording) -> None:
        glb = Glb(written(tmp_path, recording, Format.GLB)[0])
        assert len(glb.document["meshes"]) == 2
        for mesh, skin in zip(glb.document["meshes"], glb.document["skins"], strict=True):
            (part,) = mesh["primitives"]
            points, normals, joints, weights = (
                glb.array(part["attributes"][name]) for name in ("POSITION", "NORMAL", "JOINTS_0", "WEIGHTS_0")
            )
            assert points[:, 1].min() == pytest.approx(0, abs=0.01) and 1.5 < points[:, 1].max() < 1.9
            np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-4)
            np.testing.assert_array_equal(weights.sum(1), 1)
            assert joints.max() < len(skin["joints"])
            corners = points[glb.array(part["indices"]).reshape(-1, 3)]
            volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum() / 6
            assert 0.04 < volume < 0.09  # outwards, and about that of a person
            inverse = glb.array(skin["inverseBindMatrices"]).reshape(-1, 4, 4).swapaxes(1, 2)
            names = [glb.document["nodes"][node]["name"] for node in skin["joints"]]
            foot = inverse[names.index("left_foot")] @ [*points[joints[:, 0] == names.index("left_foot")].mean(0), 1]
            assert np.linalg.norm(foot[:3]) < 0.2

    def test_people_show_only_while_they_are_tracked(self, tmp_path: Path, recording: Recording) -> None:
        glb = Glb(written(tmp_path, recording, Format.GLB)[0])
        times, sizes = glb.channels(glb.document["skins"][1]["joints"][0])["scale"]
        np.testing.assert_allclose(times, [0, 38 / 30, 200 / 30], atol=1e-5)
        assert sizes[:, 0].tolist() == [0, 1, 0]

    @pytest.mark.readers
    def test_the_validator_finds_nothing(self, tmp_path: Path, recording: Recording) -> None:
        report = gltf_report(written(tmp_path, recording, Format.GLB)[0])
        assert (report["issues"]["numErrors"], report["issues"]["numWarnings"]) == (0, 0), report["issues"]["messages"]
        assert report["info"]["hasSkins"] and report["info"]["animationCount"] == 1

    @pytest.mark.readers
    def test_blender_has_the_joints_where_they_were_recorded(self, tmp_path: Path, recording: Recording) -> None:
        path = written(tmp_path, recording, Format.GLB)[0]
        read = blender(path, FRAMES)
        for person in place(recording).people:
            found = _in_blender(read, f"person {person.id}", person.poses.skeleton.joints)
            _same_place(found, recorded(person, FRAMES))


def test_the_walker_faces_where_he_walks_and_his_feet_are_on_the_ground() -> None:
    person = place(sample()).people[1]
    joints = person.poses.skeleton.index
    across = person.points[:, joints("left_hip")] - person.points[:, joints("right_hip")]
    forward = np.cross(across, [0.0, 1.0, 0.0])
    velocity = np.gradient(person.points[:, 0], axis=0)
    assert ((forward * velocity).sum(-1) > 0).mean() > 0.95
    assert person.poses.contact is not None
    resting = person.points[..., 1][person.poses.contact]
    assert len(resting) > 100 and np.abs(np.median(resting)) < 0.03


def test_a_world_and_a_camera_frame_differ_by_a_rigid_motion() -> None:
    recording = sample()
    assert isinstance(recording.world, World)
    inside, outside = (place(replace(recording, world=world)).people[1].points for world in (recording.world, None))
    for a, b in ((0, 3), (4, 10)):
        apart = [np.linalg.norm(points[:, a] - points[:, b], axis=-1) for points in (inside, outside)]
        np.testing.assert_allclose(*apart, atol=1e-5)


def _in_blender(read: dict[str, np.ndarray], armature: str, joints: tuple[str, ...]) -> np.ndarray:
    """The joints in Y-up axes, from the heads of Blender's bones, or the tail of a bone that ends there."""
    bones, ends = read[f"{armature}/bones"].tolist(), read[f"{armature}/ends"]
    columns = []
    for joint in joints:
        names = [node.name for node in NODES if node.joint == joint]
        name = next((name for name in names if name in bones), None)
        parent = next(node.parent for node in NODES if node.joint == joint)
        columns.append(ends[:, bones.index(name), 0] if name else ends[:, bones.index(parent), 1])
    x, y, z = np.moveaxis(np.stack(columns, axis=1), -1, 0)
    return np.stack([x, z, -y], axis=-1)


def _same_place(found: np.ndarray, expected: np.ndarray) -> None:
    assert np.linalg.norm(found - expected, axis=-1).max() < MILLIMETRE
