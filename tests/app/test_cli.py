import json
import os
import re
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kinelift.__main__ import main
from kinelift.app.export.formats import Format
from kinelift.app.pipeline import Pipeline
from kinelift.poses import Recording, overwriting
from kinelift.poses.errors import OutputError, WeightsError
from kinelift.poses.recording import load
from kinelift.weights.registry import sha256
from tests.app.stages import pipeline, script
from tests.clips import NTSC, Tone, contents, steady, write_clip

RESULTS = [".source.json", "actions.json", "overlay.mp4", "poses3d.csv", "recording.npz", "timeline.png", "viewer.html"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a video, and a program whose stages see two people in every video."""
    write_clip(tmp_path / "dance.mp4", steady(12, NTSC), size=(160, 120), sound=Tone())
    monkeypatch.chdir(tmp_path)
    detector = script(12, lambda k: 30.0 + k, lambda k: 120.0)
    monkeypatch.setattr(
        Pipeline, "open", lambda spec: pipeline(detector, people=spec.settings.people, viewer=spec.settings.viewer)
    )
    return tmp_path


def names(path: Path) -> list[str]:
    return sorted(p.name for p in path.iterdir())


def test_run_writes_everything_beside_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4"]) == 0
    assert names(folder / "out" / "dance") == RESULTS
    recording = load(folder / "out" / "dance" / "recording.npz")
    assert [person.id for person in recording.people] == [1, 2]
    assert len(contents(folder / "out" / "dance" / "overlay.mp4").times) == 12
    people = json.loads((folder / "out" / "dance" / "actions.json").read_text())["people"]
    assert [a["label"] for person in people for a in person["actions"]] == ["wave", "wave"]
    assert (folder / "out" / "dance" / "poses3d.csv").read_text().count("\n") == 1 + 2 * 12 * 17
    said = capsys.readouterr()
    assert said.out == f"{Path('out/dance')}: 2 people in 12 frames\n"
    assert "dance.mp4: finding people: 12 in " in said.err and "\x1b" not in said.err


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_settings_reach_the_pipeline(folder: Path) -> None:
    assert main(["run", "dance.mp4", "-o", "elsewhere", "--people", "main", "--layout", "overlay"]) == 0
    assert len(load(folder / "elsewhere" / "dance" / "recording.npz").people) == 1
    assert contents(folder / "elsewhere" / "dance" / "overlay.mp4").size == (160, 120)


def test_one_bad_video_does_not_stop_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.mp4").write_text("Not a video.")
    shutil.copy("dance.mp4", "again.mp4")
    assert main(["run", "missing.mp4", "dance.mp4", "notes.mp4", "again.mp4"]) == 1
    assert names(folder / "out") == ["again", "dance"]
    assert names(folder / "out" / "again") == RESULTS
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 3 and "missing.mp4" in errors[0] and "notes.mp4" in errors[1]
    assert errors[2] == "error: 2 of 4 videos failed: missing.mp4, notes.mp4"


def test_a_damaged_video_is_used_as_far_as_it_goes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = write_clip(folder / "w.mp4", steady(60), size=(160, 120), container_options={"movflags": "faststart"})
    content = whole.read_bytes()
    (folder / "cut.mp4").write_bytes(content[: len(content) * 2 // 3])
    assert main(["run", "cut.mp4"]) == 0
    assert "note: cut.mp4 is damaged" in capsys.readouterr().err
    recording = load(folder / "out" / "cut" / "recording.npz")
    assert 5 < len(recording.video.times) < 60
    assert len(contents(folder / "out" / "cut" / "overlay.mp4").times) == len(recording.video.times)


def test_nobody_is_a_note_and_still_a_video(
    monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Pipeline, "open", lambda spec: pipeline(script(0)))
    assert main(["run", "dance.mp4"]) == 0
    assert "note: Nobody was found in dance.mp4" in capsys.readouterr().err
    assert json.loads((folder / "out" / "dance" / "actions.json").read_text())["people"] == []
    assert len(contents(folder / "out" / "dance" / "overlay.mp4").times) == 12


def test_an_unwritable_place_stops_only_its_video(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("dance.mp4", "again.mp4")
    (folder / "out").mkdir()
    (folder / "out" / "dance").write_text("in the way")
    assert main(["run", "dance.mp4", "again.mp4"]) == 1
    assert names(folder / "out" / "again") == RESULTS
    assert (folder / "out" / "dance").read_text() == "in the way"
    assert "cannot be made" in capsys.readouterr().err


def test_weights_that_are_missing_stop_everything_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    def none(*args: object) -> Pipeline:
        raise WeightsError("No weights.")

    monkeypatch.setattr(Pipeline, "open", none)
    assert main(["run", "dance.mp4", "dance.mp4"]) == 1
    assert capsys.readouterr().err == "error: No weights.\n"
    assert not (folder / "out").exists()


def test_the_source_is_never_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "overlay").mkdir()
    shutil.copy("dance.mp4", "overlay/overlay.mp4")
    before = (folder / "overlay" / "overlay.mp4").read_bytes()
    assert main(["run", "overlay/overlay.mp4", "-o", "."]) == 0
    assert names(folder / "overlay") == ["overlay.mp4"] and names(folder / "overlay-2") == RESULTS
    assert main(["run", "dance.mp4"]) == 0
    assert main(["render", "out/dance/recording.npz", "dance.mp4", "-o", "./dance.mp4"]) == 1
    assert capsys.readouterr().err.count("is the source and would be overwritten") == 1
    assert (folder / "overlay" / "overlay.mp4").read_bytes() == before == (folder / "dance.mp4").read_bytes()


def test_render_draws_a_recording_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "dance.mp4"])
    first = (folder / "out" / "dance" / "overlay.mp4").read_bytes()
    capsys.readouterr()
    assert main(["render", "out/dance/recording.npz", "dance.mp4", "--layout", "3d", "-o", "3d.mp4"]) == 0
    assert capsys.readouterr().out == "3d.mp4\n"
    assert len(contents(folder / "3d.mp4").times) == 12
    assert (folder / "out" / "dance" / "overlay.mp4").read_bytes() == first
    assert main(["render", "out/dance/recording.npz", "dance.mp4", "-o", "dance.webm"]) == 1
    assert "must end in .mp4" in capsys.readouterr().err and not (folder / "dance.webm").exists()


def test_what_is_drawn_again_has_a_name_of_its_own(folder: Path) -> None:
    main(["run", "dance.mp4"])
    results = folder / "out" / "dance"
    first = (results / "overlay.mp4").read_bytes()
    render = ["render", "out/dance/recording.npz", "dance.mp4"]
    assert main([*render, "--layout", "overlay"]) == 0
    assert main([*render, "--layout", "3d"]) == 0
    assert main([*render, "--range", "0.1s-0.3s"]) == 0
    assert (results / "overlay.mp4").read_bytes() == first
    assert contents(results / "overlay-2d.mp4").size == (160, 120)
    assert contents(results / "overlay-3d.mp4").size == (640, 480)
    assert contents(results / "overlay-0.1s-0.3s.mp4").size == (640 + 4 + 480, 480)


def test_a_part_is_drawn_from_its_first_frame_with_its_sound(folder: Path) -> None:
    main(["run", "dance.mp4"])
    render = ["render", "out/dance/recording.npz", "dance.mp4", "--layout", "overlay", "-o", "part.mp4"]
    assert main([*render, "--range", "0.1s-0.3s"]) == 0
    part = contents(folder / "part.mp4")
    shown = [time for time in steady(12, NTSC) if Fraction(1, 10) <= time < Fraction(3, 10)]
    assert part.times == [time - shown[0] for time in shown]
    assert part.sound_end == pytest.approx(float(part.picture_end), abs=0.03)
    assert main([*render, "--range", "0.2s-"]) == 0
    assert len(contents(folder / "part.mp4").times) == sum(time >= Fraction(1, 5) for time in steady(12, NTSC))


@pytest.mark.parametrize(("words", "reason"), [
    ("9s-12s", "no frame in that --range"), ("3s-2s", "ends before it begins"), ("soon", "not a range of time"),
])  # fmt: skip
def test_parts_that_cannot_be_are_told(
    words: str, reason: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run", "dance.mp4"])
    assert main(["render", "out/dance/recording.npz", "dance.mp4", "--range", words, "-o", "part.mp4"]) == 1
    assert reason in capsys.readouterr().err
    assert not (folder / "part.mp4").exists()


def test_size_and_quality_reach_the_video_and_the_recording(folder: Path) -> None:
    assert main(["run", "dance.mp4", "--layout", "overlay", "--size", "80", "--quality", "low"]) == 0
    results = folder / "out" / "dance"
    assert contents(results / "overlay.mp4").size == (80, 60)
    drawn = load(results / "recording.npz").made_with["drawing"]
    assert drawn == {"layout": "overlay", "size": 80, "quality": "low"}
    sizes = []
    for quality in ("low", "medium", "high"):
        assert main(["render", "out/dance/recording.npz", "dance.mp4", "--quality", quality, "-o", "q.mp4"]) == 0
        sizes.append((folder / "q.mp4").stat().st_size)
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_render_refuses_what_is_no_recording(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "dance.mp4", "dance.mp4", "-o", "x.mp4"]) == 1
    assert "dance.mp4 is not an npz file" in capsys.readouterr().err
    assert main(["export", "missing.npz", "--to", "csv"]) == 1
    assert "no recording missing.npz" in capsys.readouterr().err


@pytest.mark.parametrize("to", ["json", "csv", "npz", "timeline", "viewer"])
def test_export_writes_beside_the_recording_or_where_told(folder: Path, to: str) -> None:
    main(["run", "dance.mp4"])
    beside = folder / "out" / "dance" / Format(to).file
    beside.unlink(missing_ok=True)
    assert main(["export", "out/dance/recording.npz", "--to", to]) == 0
    assert main(["export", "out/dance/recording.npz", "--to", to, "-o", "out/dance/here"]) == 0
    again = beside.with_name("here")
    assert beside.stat().st_size > 0 and again.stat().st_size == beside.stat().st_size


def page_header(path: Path) -> dict[str, Any]:
    """What a viewer.html says about its recording and the files beside it."""
    (text,) = re.findall(r'<script type="application/json" id="clip">(.*?)</script>', path.read_text(encoding="utf-8"))
    header: dict[str, Any] = json.loads(text)
    return header


def test_the_viewer_plays_the_overlay_or_the_source(folder: Path) -> None:
    assert main(["run", "dance.mp4"]) == 0
    header = page_header(folder / "out" / "dance" / "viewer.html")
    assert [video["url"] for video in header["videos"]] == ["overlay.mp4", "../../dance.mp4"]
    assert sorted(file["url"] for file in header["files"]) == sorted({*RESULTS} - {".source.json", "viewer.html"})
    assert main(["run", "dance.mp4", "--layout", "3d"]) == 0  # overlay.mp4 does not show the video
    header = page_header(folder / "out" / "dance" / "viewer.html")
    assert [video["url"] for video in header["videos"]] == ["../../dance.mp4"]
    assert main(["export", "out/dance/recording.npz", "--to", "viewer"]) == 0
    assert page_header(folder / "out" / "dance" / "viewer.html")["videos"] == []
    assert main(["run", "dance.mp4", "--no-viewer", "--export", "viewer"]) == 0
    header = page_header(folder / "out" / "dance" / "viewer.html")
    assert [video["url"] for video in header["videos"]] == ["overlay.mp4", "../../dance.mp4"]


def test_no_viewer_is_written_if_none_is_wanted(folder: Path) -> None:
    assert main(["run", "dance.mp4", "--viewer"]) == 0
    assert main(["run", "dance.mp4", "--no-viewer"]) == 0  # the earlier page would show other poses
    assert names(folder / "out" / "dance") == [name for name in RESULTS if name != "viewer.html"]
    made_with = load(folder / "out" / "dance" / "recording.npz").made_with
    assert made_with["spec"]["settings"]["viewer"] is False


def test_render_writes_a_viewer_beside_its_video(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run", "dance.mp4", "--no-viewer", "--quiet"])
    (folder / "drawn").mkdir()
    assert main(["render", "out/dance/recording.npz", "dance.mp4", "-o", "drawn/again.mp4", "--viewer"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["drawn/again.mp4", "drawn/viewer.html"]
    header = page_header(folder / "drawn" / "viewer.html")
    assert [video["url"] for video in header["videos"]] == ["again.mp4", "../dance.mp4"]
    assert header["files"] == []


def test_exported_arrays_are_the_recording_s(folder: Path) -> None:
    main(["run", "dance.mp4"])
    main(["export", "out/dance/recording.npz", "--to", "npz"])
    poses = load(folder / "out" / "dance" / "recording.npz").people[0].poses
    assert poses is not None
    with np.load(folder / "out" / "dance" / "poses3d.npz") as file:
        assert np.array_equal(file["points3d"][0], poses.points, equal_nan=True)


def test_info_tells_what_the_file_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "dance.mp4"]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert facts["codec"] == "h264" and facts["audio"] == "aac" and facts["size"].startswith("160 × 120")


@pytest.mark.parametrize("wrong", [
    [], ["dance"], ["run"], ["run", "dance.mp4", "--layout", "round"], ["run", "dance.mp4", "--detector", "yolo"],
    ["run", "dance.mp4", "--fov", "wide"], ["export", "r.npz"], ["export", "r.npz", "--to", "fbx"], ["info"],
])  # fmt: skip
def test_wrong_usage_leaves_with_2(wrong: list[str]) -> None:
    assert main(wrong) == 2


@pytest.mark.parametrize(
    "wrong", [["--people", "0"], ["--size", "5"], ["--fov", "200"], ["--fov", "50", "--focal", "800"]]
)
def test_values_that_cannot_be_are_told(wrong: list[str], capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["run", "dance.mp4", *wrong]) == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not (folder / "out").exists()


def test_a_name_of_dots_does_not_lead_out_of_the_folder(folder: Path) -> None:
    (folder / "overlay.mp4").write_text("mine")
    shutil.copy(folder / "dance.mp4", folder / "...mp4")
    assert main(["run", "...mp4", "-o", "results"]) == 0
    assert names(folder / "results" / "video") == RESULTS
    assert (folder / "overlay.mp4").read_text() == "mine"


def test_a_name_that_is_not_unicode_keeps_its_sound(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(folder / "dance.mp4", folder / name)
    assert main(["run", name, "dance.mp4"]) == 0
    overlays = sorted((folder / "out").rglob("overlay.mp4"))
    assert [contents(path).sound_codec for path in overlays] == ["aac", "aac"]


def test_a_recording_is_never_overwritten_by_its_export(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4"]) == 0
    recording = folder / "out" / "dance" / "recording.npz"
    before = recording.read_bytes()
    for command in (["export", str(recording), "--to", "csv"], ["render", str(recording), "dance.mp4"]):
        assert main([*command, "-o", str(recording)]) == 1
        assert "would be overwritten" in capsys.readouterr().err
    assert recording.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_neither_read_nor_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(folder / "pipe")
    assert main(["info", "pipe"]) == 1
    assert main(["detect", "dance.mp4", "-o", "pipe"]) == 1
    assert capsys.readouterr().err.count("pipe is a device or pipe, not a file") == 2
    assert (folder / "pipe").is_fifo()


def test_a_shorter_cut_is_another_video(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4"]) == 0
    before = (folder / "out" / "dance" / "overlay.mp4").read_bytes()
    write_clip(folder / "cut.mp4", steady(5, NTSC), size=(160, 120))
    assert main(["render", "out/dance/recording.npz", "cut.mp4"]) == 1
    assert "it had 12 frames, not 5" in capsys.readouterr().err
    assert (folder / "out" / "dance" / "overlay.mp4").read_bytes() == before


def test_no_output_replaces_an_input(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4"]) == 0
    os.link("out/dance/recording.npz", "link.npz")
    before = (folder / "link.npz").read_bytes()
    for out in ("out/dance/recording.npz", "./out/../out/dance/recording.npz", "link.npz"):
        assert main(["export", "out/dance/recording.npz", "--to", "npz", "-o", out]) == 1
    assert main(["run", "dance.mp4", "-o", "dance.mp4"]) == 1
    assert main(["detect", "dance.mp4", "--to", "npz", "-o", "dance.mp4"]) == 1
    assert main(["run", "dance.mp4", "out/dance/overlay.mp4"]) == 1
    assert capsys.readouterr().err.count("would be overwritten") == 6
    assert (folder / "link.npz").read_bytes() == before


def test_a_camera_file_is_not_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "out" / "dance").mkdir(parents=True)
    (folder / "out" / "dance" / "actions.json").write_text("{}")
    (folder / "out" / "dance" / ".source.json").write_text(
        json.dumps({"name": "dance.mp4", "sha256": sha256(Path("dance.mp4"))})
    )
    assert main(["run", "dance.mp4", "--camera", "out/dance/actions.json:left"]) == 1
    assert "actions.json is the source and would be overwritten" in capsys.readouterr().err


def test_keypoints_of_one_video_among_several_are_not_replaced(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    joints = [v for k in range(17) for v in (20.0 + k, 10.0 + 2 * k, 0.9)]
    rows = [
        {"category_id": 1, "score": 0.9, "keypoints": joints, "image_id": f"{v}/{k}.jpg"}
        for v in "ab"
        for k in range(12)
    ]
    (folder / "k.json").write_text(json.dumps(rows))
    detect = ["detect", "dance.mp4", "--keypoints", "k.json/a", "--to", "coco-json"]
    assert main([*detect, "-o", "k.json"]) == 1
    assert "k.json is the source and would be overwritten" in capsys.readouterr().err
    assert json.loads((folder / "k.json").read_text()) == rows
    assert main([*detect, "-o", "other.json"]) == 0


def test_an_input_is_not_replaced_by_an_export(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "dance.mp4", "--export", "json"]) == 0
    camera = folder / "out" / "dance" / "poses3d.json"
    camera.write_text("{}")
    command = ["run", "dance.mp4", "--camera", "out/dance/poses3d.json:left"]
    assert main([*command, "--export", "json"]) == 1
    assert "poses3d.json is the source and would be overwritten" in capsys.readouterr().err
    assert camera.read_text() == "{}"


def test_pictures_get_a_folder_as_a_video_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "walk.v2").mkdir()
    for k in range(12):
        cv2.imwrite(f"walk.v2/img_{k:02d}.png", np.full((120, 160, 3), 10 * k, np.uint8))
    for _ in range(2):
        assert main(["run", "walk.v2", "walk.v2/img_%02d.png", "--fps", "25"]) == 0
        assert names(folder / "out") == ["img", "walk.v2"]
    assert names(folder / "out" / "walk.v2") == names(folder / "out" / "img") == RESULTS
    cv2.imwrite("walk.v2/img_03.png", np.full((120, 160, 3), 99, np.uint8))
    assert main(["run", "walk.v2", "--fps", "25"]) == 0
    assert names(folder / "out") == ["img", "walk.v2", "walk.v2-2"]
    assert main(["run", "walk.v2", "--fps", "25", "-o", "."]) == 1
    assert "walk.v2 is the source and would be overwritten" in capsys.readouterr().err
    assert len(names(folder / "walk.v2")) == 12


def test_a_video_among_the_results_of_its_own_name_stays(folder: Path) -> None:
    places = ["overlay.mp4.part", ".overlay.mp4.part", "overlay.mp4.part-silent"]
    (folder / "out" / "overlay.mp4").mkdir(parents=True)
    for name in places:
        shutil.copy("dance.mp4", folder / "out" / "overlay.mp4" / name)
        assert main(["run", f"out/overlay.mp4/{name}"]) == 0
    (folder / "out" / "recording").mkdir()
    shutil.copy("dance.mp4", "out/recording/recording.npz")
    assert main(["run", "out/recording/recording.npz"]) == 0
    assert names(folder / "out" / "recording") == ["recording.npz"] and names(folder / "out" / "recording-2") == RESULTS
    for path in (*(folder / "out" / "overlay.mp4" / name for name in places), Path("out/recording/recording.npz")):
        assert path.read_bytes() == (folder / "dance.mp4").read_bytes()


def test_a_disk_without_room_is_told_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10))
    for least in (overwriting._LEAST, 0):  # what any command needs, and what these results do
        monkeypatch.setattr(overwriting, "_LEAST", least)
        assert main(["run", "dance.mp4"]) == 1
        said = capsys.readouterr().err
        assert "its disk has 0 MB left" in said and "finding people" not in said
        assert list((folder / "out").glob("*")) == []


def test_two_videos_of_one_name_in_two_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cam2").mkdir()
    write_clip(folder / "cam2" / "dance.mp4", steady(5, NTSC), size=(160, 120))
    assert main(["run", "dance.mp4"]) == main(["run", "cam2/dance.mp4"]) == main(["run", "cam2/dance.mp4"]) == 0
    assert names(folder / "out") == ["dance", "dance-2"]
    assert [len(load(folder / "out" / name / "recording.npz").video.times) for name in ("dance", "dance-2")] == [12, 5]
    note = "note: out/dance holds other results: those of cam2/dance.mp4 are written to out/dance-2.\n"
    assert capsys.readouterr().err.count(note) == 2


def test_an_error_that_nobody_expected_leaves_the_other_videos_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    errors = iter([ZeroDivisionError("of its own"), MemoryError(), OSError(5, "Input/output error"), None])

    def run(self: Pipeline, *args: object, original: Callable[..., Recording] = Pipeline.run) -> Recording:
        if error := next(errors):
            raise error
        return original(self, *args)

    monkeypatch.setattr(Pipeline, "run", run)
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        shutil.copy("dance.mp4", name)
    assert main(["run", "a.mp4", "b.mp4", "c.mp4", "dance.mp4"]) == 1
    assert names(folder / "out") == ["dance"] and names(folder / "out" / "dance") == RESULTS
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "a.mp4 failed" in lines[0] and "ZeroDivisionError: of its own (test_cli.py, line" in lines[0]
    assert lines[-1] == "error: 3 of 4 videos failed: a.mp4, b.mp4, c.mp4" and len(lines) == 4


def test_an_interrupted_run_continues(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    def failing(*args: object) -> None:
        raise OutputError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr("kinelift.app.batch.render", failing)
        assert main(["run", "dance.mp4"]) == 1
    assert names(folder / "out") == [".dance.part", "dance"]
    before = (folder / "out" / "dance" / "recording.npz").read_bytes()
    blind = script(0)
    monkeypatch.setattr(Pipeline, "open", lambda spec: pipeline(blind))
    assert main(["run", "dance.mp4"]) == 0
    assert "dance.mp4: Continuing an earlier run" in capsys.readouterr().err
    assert names(folder / "out") == ["dance"] and (folder / "out" / "dance" / "recording.npz").read_bytes() == before
    with monkeypatch.context() as broken:
        broken.setattr("kinelift.app.batch.render", failing)
        assert main(["run", "dance.mp4", "--people", "main"]) == 1
    assert main(["run", "dance.mp4", "--restart"]) == 0
    assert load(folder / "out" / "dance" / "recording.npz").people == () and names(folder / "out") == ["dance"]
