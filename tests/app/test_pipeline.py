import json
from dataclasses import asdict, astuple, replace
from fractions import Fraction
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from kinelift import Pipeline, Video
from kinelift.app.camera.motion import Motion
from kinelift.app.detection import resolve_auto
from kinelift.app.pipeline import _adapt_detector, render
from kinelift.app.settings import Detection, Drawing, Settings
from kinelift.app.spec import PipelineSpec, pick_device
from kinelift.detectors.converted import Converted
from kinelift.detectors.movenet.second_look import SecondLook
from kinelift.detectors.protocol import Opened
from kinelift.detectors.refining.refined import Refined
from kinelift.detectors.scripted import Scripted
from kinelift.lifting.body import fit
from kinelift.lifting.network import LifterNetwork
from kinelift.lifting.world.stage import stature
from kinelift.models.enas.action_net import ActionNet, ActionNetConfig
from kinelift.models.temporal import TemporalConfig, TemporalNet
from kinelift.poses import COCO17, COCO23, H36M17, JointState, People, Poses3D, Recording, Skeleton, Track2D
from kinelift.poses.camera import Camera, Distortion
from kinelift.poses.containers import Recognition
from kinelift.poses.errors import DataError, OutputError, SettingsError, WeightsError
from kinelift.poses.rounding import rounded_poses
from kinelift.poses.skeleton import BODY25, HALPE26, OPENPOSE18
from kinelift.recognition.classifier import Classifier
from kinelift.recognition.network import ActionNetwork
from kinelift.weights.store import FILES
from tests.app.camera.scenes import SIZE as PICTURE
from tests.app.camera.scenes import errors, sway, texture, view
from tests.app.stages import DEPTH, Counting, Flat, Limping, Recorder, Waving, WithoutUp, pipeline, script, standing
from tests.clips import NTSC, Tone, contents, steady, write_clip

SIZE = (160, 120)


def clip(folder: Path, frames: int = 20, name: str = "dance.mp4") -> Video:
    return Video(write_clip(folder / name, steady(frames, NTSC), size=SIZE))


def two_people(frames: int = 20) -> Scripted:
    """One walks right from the left edge; another comes in at frame 5 and stands on the right."""
    return script(frames, lambda k: 30.0 + k, lambda k: 120.0 if k >= 5 else None)


class Standing(WithoutUp):
    """Lifts everybody to the same whole body."""

    def lift(self, track: Track2D, camera: Camera, up: np.ndarray | None = None) -> Poses3D:
        return Poses3D(np.ones((len(track), len(H36M17), 3)), track.times)


class TestAnalysis:
    def test_everybody_is_followed_lifted_and_classified(self, tmp_path: Path) -> None:
        recording = pipeline(two_people()).run(clip(tmp_path))
        first, second = recording.people
        assert (first.id, second.id) == (1, 2)
        assert (first.track.start, len(first.track)) == (0, 20) and (second.track.start, len(second.track)) == (5, 15)
        nose = COCO17.index("nose")
        np.testing.assert_allclose(first.track.points[:, nose, 0], 30 + np.arange(20), atol=1e-9)
        assert first.poses is not None and first.poses.root is not None and first.actions is not None
        assert first.poses.skeleton is H36M17 and len(first.poses) == 20
        assert [action.label for action in first.actions] == ["wave"]

    def test_times_are_those_of_the_frames(self, tmp_path: Path) -> None:
        times = [Fraction(k, 30) for k in (0, 1, 2, 5, 6, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23)]
        recording = pipeline(two_people(16)).run(Video(write_clip(tmp_path / "v.mp4", times, size=SIZE)))
        expected = np.array([float(t) for t in times])
        np.testing.assert_allclose(recording.video.times, expected, atol=1e-9)
        for person in recording.people:
            assert np.array_equal(person.track.times, recording.video.times[person.track.start : person.track.stop])

    def test_video_and_stages_are_named(self, tmp_path: Path) -> None:
        recording = pipeline(two_people(), people="main", focal=150.0).run(clip(tmp_path))
        assert (recording.video.name, recording.video.width, recording.video.height) == ("dance", *SIZE)
        settings = {
            "people": "main",
            "smooth": "none",
            "max_people": 100,
            "fov": None,
            "focal": 150.0,
            "camera": None,
            "fit": "off",
        }
        settings |= {"camera_motion": "auto", "guess": False, "unknown": None}
        settings |= {"up": None, "camera_height": None, "height": None, "contacts": "on", "viewer": True}
        assert recording.made_with == {
            "version": version("kinelift"),
            "spec": {"format": 1, "lifter": "flat", "settings": settings},
            "notes": [],
        }
        assert recording.camera == Camera(150.0, (80.0, 60.0))

    @pytest.mark.parametrize(
        ("people", "ids"), [("all", [1, 2]), ("main", [1]), ("1", [1]), ("2", [1, 2]), ("9", [1, 2])]
    )
    def test_people_are_chosen(self, tmp_path: Path, people: str, ids: list[int]) -> None:
        recording = pipeline(two_people(), people=people).run(clip(tmp_path))
        assert [person.id for person in recording.people] == ids

    def test_the_camera_of_a_file(self, tmp_path: Path) -> None:
        storage = cv2.FileStorage(str(tmp_path / "lens.yml"), cv2.FILE_STORAGE_WRITE)
        storage.write("camera_matrix", np.array([[300.0, 0, 160], [0, 300, 120], [0, 0, 1]]))
        storage.write("distortion_coefficients", np.array([0.1, 0, 0, 0]))
        storage.write("image_size", np.array([320, 240]))
        storage.release()
        recording = pipeline(two_people(), camera=str(tmp_path / "lens.yml")).run(clip(tmp_path))
        assert recording.camera == Camera(150.0, (80.25, 60.25), Distortion(0.1))
        assert recording.made_with["notes"] == ["camera: lens.yml, scaled from 320 × 240 pixels."]
        assert PipelineSpec.from_json({"settings": recording.made_with["spec"]["settings"]}).settings.camera == str(
            tmp_path / "lens.yml"
        )
        with pytest.raises(DataError, match=r"other\.yml cannot be used: there is no such file"):
            pipeline(two_people(), camera="other.yml").run(clip(tmp_path))

    def test_a_turning_camera(self, tmp_path: Path) -> None:
        wall, turns = texture(900, 500), sway(40, 8)
        images = (np.repeat(view(turn, wall)[..., None], 3, -1) for turn in turns)
        video = Video(write_clip(tmp_path / "pan.mp4", steady(40), size=PICTURE, images=images))
        detector = script(40, lambda k: 160.0 if k >= 10 else None)
        undone, still = (pipeline(detector, focal=300.0, camera_motion=way).run(video) for way in ("auto", "still"))
        assert still.camera == Camera(300.0, (160.0, 120.0)) and still.made_with["notes"] == []
        assert undone.camera is not None and undone.camera.still == still.camera
        assert errors(Motion(undone.camera.rotations), turns).max() < 0.2
        assert "turns by up to 8°" in undone.made_with["notes"][0]
        (person,) = undone.people
        assert person.poses is not None and person.poses.root is not None and person.track.start == 10
        np.testing.assert_array_equal(person.track.points, still.people[0].track.points)
        expected = Flat().lift(person.track, undone.camera.during(10, 40))
        np.testing.assert_array_equal(person.poses.points, rounded_poses(expected).points)
        path = np.degrees(np.arctan2(person.poses.root[:, 0], person.poses.root[:, 2]))
        sideways = np.degrees(np.arctan2(turns.as_matrix()[10:, 0, 2], turns.as_matrix()[10:, 2, 2]))
        np.testing.assert_allclose(path, sideways, atol=0.5)

    def test_nobody_in_the_first_frames(self, tmp_path: Path) -> None:
        (person,) = pipeline(script(20, lambda k: 60.0 if k >= 8 else None)).run(clip(tmp_path)).people
        assert person.id == 1 and person.track.start == 8

    def test_nobody_in_any_frame(self, tmp_path: Path) -> None:
        recording = pipeline(Scripted([])).run(clip(tmp_path))
        assert recording.people == () and len(recording.video.times) == 20

    def test_field_of_view_sets_the_scale(self, tmp_path: Path) -> None:
        wide, narrow = (
            pipeline(two_people(), fov=fov).run(clip(tmp_path)).people[0].poses
            for fov in (90.0, 2 * np.degrees(np.arctan(0.5)))
        )
        assert wide is not None and narrow is not None
        np.testing.assert_allclose(wide.points, 2 * narrow.points, atol=2**-14)
        assert wide.root is not None and (wide.root[:, 2] == DEPTH).all()

    def test_poses_are_one_body_unless_the_fit_is_off(self, tmp_path: Path) -> None:
        chosen = {way: replace(pipeline(two_people(), fit=way), lifter=Limping()) for way in ("body", "off")}
        fitted, raw = (one.run(clip(tmp_path)) for one in chosen.values())
        assert [PipelineSpec.of(one).settings.fit for one in (fitted, raw)] == ["body", "off"]
        for one, other in zip(fitted.people, raw.people, strict=True):
            camera = chosen["off"].settings.assumed_camera(one.track.size)
            answer = Limping().lift(other.track, camera)
            assert one.poses is not None and other.poses is not None
            kept, fitted_answer = rounded_poses(answer), rounded_poses(fit(one.track, answer, camera))
            np.testing.assert_array_equal(other.poses.points, kept.points)
            np.testing.assert_array_equal(other.poses.root, kept.root)
            np.testing.assert_array_equal(one.poses.points, fitted_answer.points)
            shank = [H36M17.index("left_knee"), H36M17.index("left_ankle")]
            length, wrong = (np.linalg.norm(np.diff(p.points[:, shank], axis=1), axis=-1) for p in (one.poses, answer))
            assert np.ptp(length) < 2**-13 < 0.1 < np.ptp(wrong)

    def test_the_height_is_that_of_the_most_prominent_person(self, tmp_path: Path) -> None:
        """A smaller person is there first and has the first number."""
        small, large = standing(30.0, height=40.0), standing(120.0, height=80.0)
        both = [np.concatenate(pair) for pair in zip(astuple(small)[1:], astuple(large)[1:], strict=True)]
        people = Scripted([People(k, *(both if k >= 10 else astuple(small)[1:])) for k in range(40)])
        found = replace(pipeline(people, fit="body", height=150.0), lifter=Limping()).run(clip(tmp_path, 40))
        first, second = (one.poses for one in found.people)
        assert first is not None and second is not None
        assert stature(second) == pytest.approx(1.5, abs=1e-3)
        assert stature(first) != pytest.approx(1.5, abs=1e-3)

    @pytest.mark.parametrize("guess", [False, True])
    def test_joints_that_were_never_seen_are_empty_unless_guesses_are_wanted(self, tmp_path: Path, guess: bool) -> None:
        classified: list[Poses3D] = []

        class Watching(Waving):
            def recognise(self, poses: Poses3D) -> Recognition:
                classified.append(poses)
                return super().recognise(poses)

        ankles = [COCO17.index(f"{side}_ankle") for side in ("left", "right")]
        wrist = COCO17.index("left_wrist")
        people = list(two_people().detect(clip(tmp_path).frames()))
        for one in people:
            one.points[:, ankles], one.scores[:, ankles] = np.nan, 0.0
            one.points[:, wrist, 0] += 0.0 if one.frame < 5 else np.nan
        whole = replace(pipeline(Scripted(people), guess=guess), lifter=Standing(), classifier=Watching())
        first = whole.run(clip(tmp_path)).people[0].poses
        assert first is not None and first.seen is not None and first.error is not None
        never = [H36M17.index(f"{side}_ankle") for side in ("left", "right")]
        late = H36M17.index("left_wrist")
        known = np.isfinite(first.points).all(axis=-1)
        assert known[:, never].all() == known[:, never].any() == guess
        assert np.array_equal(np.isfinite(first.error), known) and np.delete(known, never, axis=1).all()
        assert (first.seen[:, never] == JointState.UNSEEN).all()
        assert (first.seen[:5, late] == JointState.SEEN).all() and (first.seen[5:, late] == JointState.UNSEEN).all()
        assert all(np.isfinite(poses.points).all() for poses in classified), "the classifier was given a part of a body"

    def test_a_few_pictures_are_in_memory_however_long_the_video(self, tmp_path: Path) -> None:
        counting = Counting(two_people(60))
        recording = pipeline(counting).run(clip(tmp_path, 60))
        assert len(recording.video.times) == 60
        assert 1 <= counting.most <= 4

    def test_progress_sees_every_frame_and_person(self, tmp_path: Path) -> None:
        progress, video = Recorder(), clip(tmp_path)
        recording = pipeline(two_people()).run(video, progress)
        render(recording, video, tmp_path / "o.mp4", progress=progress)
        assert progress.seen == [("finding people", 20, 20), ("lifting to 3D", 2, 2), ("drawing", 20, 20)]


class TestLoading:
    def test_a_lifter_of_another_layout_is_refused_before_any_work(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kinelift.app.pipeline.open_detector", lambda *_: Opened(two_people()))
        net = TemporalNet(TemporalConfig(features_in=3, channels=4)).eval()
        LifterNetwork(net, 50.0, source=H36M17).save(tmp_path / "other.safetensors")
        with pytest.raises(
            SettingsError, match="takes h36m17 keypoints, but the detector provides coco17, without spine, neck"
        ):
            Pipeline.load(lifter=str(tmp_path / "other.safetensors"), device="cpu")

    @pytest.mark.parametrize("known", [COCO17, BODY25, HALPE26, OPENPOSE18])
    def test_no_detector_needs_feet(self, known: Skeleton) -> None:
        adapted = _adapt_detector(Scripted([], known), COCO23)
        assert adapted.skeleton == (COCO17 if known == COCO17 else COCO23)

    @pytest.mark.parametrize(("refine", "kind"), [("none", SecondLook), ("full", Refined)])
    def test_refinement_is_chosen_by_name(self, refine: str, kind: type) -> None:
        try:
            loaded = Pipeline.load(Detection(refine=refine), device="cpu")
        except WeightsError as error:
            pytest.skip(str(error))
        bare = loaded.detector.detector if isinstance(loaded.detector, Converted) else loaded.detector
        assert type(bare) is kind
        assert loaded.spec["detection"]["refine"] == refine

    def test_a_classifier_of_ones_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("kinelift.app.pipeline.open_detector", lambda *_: Opened(two_people()))
        own = tmp_path / "own.safetensors"
        ActionNetwork(ActionNet(ActionNetConfig(2, channels=2)).eval(), ("wave", "bow")).save(own)
        loaded = Pipeline.load(classifier=str(own), device="cpu")
        assert isinstance(loaded.classifier, Classifier)
        assert loaded.classifier.actions == ("wave", "bow", "unknown")
        assert loaded.spec["classifier"] == str(own)

    def test_unknown_classifier(self) -> None:
        with pytest.raises(WeightsError, match="'boxing'"):
            Pipeline.load(classifier="boxing", device="cpu")

    def test_one_of_several_gpus(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        assert [pick_device(name) for name in ("auto", "cpu", "cuda", "cuda:1")] == ["cuda", "cpu", "cuda", "cuda:1"]
        with pytest.raises(SettingsError, match=r"no cuda:2 here. The last device is cuda:1"):
            pick_device("cuda:2")

    @pytest.mark.parametrize("name", ["cuda:", "cuda:-1", "cuda:x", "gpu", "cuda:1,2", ""])
    def test_names_of_no_device(self, name: str) -> None:
        for check in (pick_device, lambda device: PipelineSpec(device=device)):
            with pytest.raises(SettingsError, match=r"Unknown device .* cuda:N"):
                check(name)

    def test_unknown_device(self) -> None:
        with pytest.raises(SettingsError, match=r"'tpu'.*auto, cpu, cuda"):
            Pipeline.load(device="tpu")

    def test_the_threshold_of_names_is_the_classifier_s_or_the_user_s(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[float | None] = []
        load = Classifier.load

        def watched(path: Path, device: str, threshold: float | None) -> Classifier:
            asked.append(threshold)
            return load(path, device, threshold)

        monkeypatch.setattr(Classifier, "load", staticmethod(watched))
        for unknown in (None, 0.0, 0.4):
            opened = Pipeline.load(device="cpu", settings=Settings(unknown=unknown))
            assert isinstance(opened.classifier, Classifier)
            default = load(FILES / "actions.safetensors").timeline.threshold
            assert opened.classifier.timeline.threshold == (default if unknown is None else unknown)
        assert asked == [None, 0.0, 0.4]

    @pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
    def test_a_device_that_is_not_there(self) -> None:
        with pytest.raises(SettingsError, match="no CUDA device"):
            Pipeline.load(device="cuda")

    @pytest.mark.parametrize(("lifter", "message"), [
        ("defualt", "Did you mean 'default'"),
        ("missing.safetensors", r"there is no file or folder .*missing\.safetensors"),
        ("text.safetensors", r"text\.safetensors is not a Kinelift checkpoint"),
        (str(FILES / "actions.safetensors"), "lifter"),
    ])  # fmt: skip
    def test_a_lifter_that_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lifter: str, message: str
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("text.safetensors").write_text("not tensors")
        with pytest.raises(WeightsError, match=message):
            Pipeline.load(lifter=lifter, device="cpu")


class TestSettings:
    @pytest.mark.parametrize(("wrong", "message"), [
        ({"people": "some"}, "all, main"),
        ({"people": "0"}, "all, main"),
        ({"fov": 0.0}, "field of view"),
        ({"fov": 180.0}, "field of view"),
        ({"focal": -1.0}, "focal length"),
        ({"fov": 50.0, "focal": 900.0}, "Give only one"),
        ({"camera": "lens.yml", "focal": 900.0}, "--focal and --camera set the same thing"),
        ({"unknown": 1.01}, "--unknown is 1.01. Give a probability from 0 to 1"),
        ({"unknown": -0.5}, "--unknown is -0.5"),
        ({"unknown": float("nan")}, "--unknown is nan"),
    ])  # fmt: skip
    def test_what_cannot_be_is_refused_at_once(self, wrong: dict[str, object], message: str) -> None:
        with pytest.raises(SettingsError, match=message):
            Settings(**wrong)

    def test_the_camera_looks_at_the_middle(self) -> None:
        assert Settings().assumed_camera((1920, 1080)).focal == pytest.approx(960 / np.tan(np.radians(27.5)))
        assert Settings(focal=900.0).assumed_camera((1080, 1920)).centre == (540, 960)


class TestRendering:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Video:
        path = write_clip(tmp_path / "dance.mp4", steady(20, NTSC), size=SIZE, sound=Tone())
        return Video(path)

    @pytest.fixture
    def recording(self, source: Video) -> Recording:
        return pipeline(two_people()).run(source)

    @pytest.mark.parametrize("layout", ["side-by-side", "overlay", "3d"])
    def test_times_and_sound_are_the_source_s(
        self, tmp_path: Path, source: Video, recording: Recording, layout: str
    ) -> None:
        render(recording, source, tmp_path / "out.mp4", Drawing(layout))
        made, original = contents(tmp_path / "out.mp4"), contents(source.path)
        np.testing.assert_allclose([float(t) for t in made.times], recording.video.times, atol=1e-6)
        assert abs(made.picture_end - original.picture_end) < Fraction(1, 30)
        assert made.sound_codec == original.sound_codec == "aac" and made.pixels == "yuv420p"

    def test_people_are_drawn_on_the_picture(self, tmp_path: Path, source: Video, recording: Recording) -> None:
        render(recording, source, tmp_path / "with.mp4", Drawing("overlay"))
        render(Recording(recording.video, ()), source, tmp_path / "without.mp4", Drawing("overlay"))
        with_people, without = (next(Video(tmp_path / name).frames()).image for name in ("with.mp4", "without.mp4"))
        difference = np.abs(with_people.astype(int) - without.astype(int)).max(axis=-1)
        assert (difference[20:100, 15:45] > 60).any(), "nothing drawn where the person is"
        assert difference[:, 120:].max() < 30, "something drawn where nobody is yet"

    def test_another_video_is_refused(self, tmp_path: Path, recording: Recording) -> None:
        others = {
            "pixels": Video(write_clip(tmp_path / "a.mp4", steady(20, NTSC), size=(64, 48))),
            "from frame 1": Video(write_clip(tmp_path / "b.mp4", steady(20, 25), size=SIZE)),
            "from frame 20": Video(write_clip(tmp_path / "c.mp4", steady(21, NTSC), size=SIZE)),
        }
        for message, other in others.items():
            with pytest.raises(DataError, match=message):
                render(recording, other, tmp_path / "out.mp4")
        assert not list(tmp_path.glob("out.mp4*"))

    def test_a_folder_that_is_a_file_is_told(self, tmp_path: Path, source: Video, recording: Recording) -> None:
        with pytest.raises(OutputError, match="cannot be written"):
            render(recording, source, source.path / "out.mp4")


class TestDetection:
    @pytest.mark.parametrize(("wrong", "message"), [
        ({"stride": 0}, "stride is 0"),
        ({"redetect": -1}, "redetect is -1"),
        ({"detector": "yolo"}, "Unknown detector 'yolo'. Choose auto or one of keypoints, "),
        ({"detector": "movenet", "options": {"person_threshold": 1.5}}, "person-threshold is 1.5"),
        ({"detector": "movenet", "options": {"long_side": 500}}, "long-side is 500; MoveNet takes"),
        ({"detector": "openpose", "options": {"long_side": 0}}, "long-side is 0"),
        ({"detector": "openpose", "options": {"long_side": "big"}}, "long-side is 'big'; it must be int"),
        ({"detector": "detectron2", "options": {"backbone": "R7"}}, "it must be R50-FPN, R101-FPN"),
        ({"detector": "movenet", "options": {"backbone": "R50-FPN"}}, "--backbone belongs to the detector detectron2"),
        ({"detector": "movenet", "options": {"spam": 1}}, "--spam is not an option of any detector"),
        ({"detector": "keypoints"}, "needs --keypoints"),
        ({"options": {"person_threshold": 0.3, "keypoints": Path("k.json")}}, "does not go with --keypoints. Leave"),
        ({"options": {"keypoints": "k.json"}, "redetect": 2}, "cannot be refined"),
        ({"redetect": 3, "refine": "none"}, "needs a refinement"),
        ({"options": {"keypoints": Path("k.json")}, "detector": "movenet"}, "--keypoints belongs to"),
        ({"options": {"keypoint_layout": "body25"}}, "--keypoint-layout belongs to the detector keypoints"),
    ])  # fmt: skip
    def test_values_out_of_range_and_in_conflict_are_refused(self, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(SettingsError, match=message):
            Detection(**wrong)

    def test_auto_refuses_an_option_of_a_detector_that_it_does_not_take(self) -> None:
        with pytest.raises(SettingsError, match=r"--detector-weights belongs to the detector detectron2 or openpose"):
            resolve_auto(Detection(options={"detector_weights": Path("w.pth")}), "cpu")

    def test_it_is_plain_data(self) -> None:
        choice = Detection("detectron2", {"detector_weights": Path("w.pth"), "person_threshold": 0.4}, stride=2)
        assert Detection(**json.loads(json.dumps(asdict(choice)))) == choice
