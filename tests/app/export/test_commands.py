"""``kinelift export`` and ``kinelift run --export``."""

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

import kinelift
from kinelift.__main__ import main
from kinelift.app.export.formats import Format, belongs_to, export
from kinelift.app.pipeline import Pipeline
from kinelift.app.spec import PipelineSpec
from kinelift.poses import Person, Recording
from kinelift.poses.errors import DataError, SettingsError
from kinelift.poses.recording import save
from tests.app.export.samples import FILE, sample, uneven
from tests.app.stages import pipeline, script
from tests.clips import steady, write_clip
from tests.poses.scenes import person, recording, track


@pytest.mark.parametrize(
    "made", [sample(), recording(person(1), person(2, 3, 9)), recording(Person(1, track())), recording()]
)
def test_json_follows_its_schema(tmp_path: Path, made: Recording) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((files("kinelift.app.export") / "poses3d.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    export(tmp_path / "a.json", made, Format.JSON)
    document = json.loads((tmp_path / "a.json").read_text())
    validator.validate(document)
    assert not validator.is_valid({**document, "version": 2})
    assert not validator.is_valid({name: value for name, value in document.items() if name != "states"})


def test_export_writes_beside_the_recording_and_names_each_file(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "recording.npz").write_bytes(FILE.read_bytes())
    assert main(["export", str(tmp_path / "recording.npz"), "--to", "bvh", "--names", "mixamo"]) == 0
    made = [f"{tmp_path}/poses3d-person1.bvh", f"{tmp_path}/poses3d-person2.bvh", f"{tmp_path}/poses3d.bvh.json"]
    printed = capsys.readouterr()
    assert printed.out.split() == made and printed.err == ""
    assert "mixamorig:LeftUpLeg" in Path(made[0]).read_text()


def test_an_export_replaces_the_files_of_people_of_an_earlier_one(tmp_path: Path) -> None:
    export(tmp_path / "poses3d.bvh", sample(), Format.BVH)
    kept = tmp_path / "poses3d-person2-edited.bvh", tmp_path / "other-person2.bvh"
    for path in kept:
        path.write_text("mine")
    alone = replace(sample(), people=sample().people[:1])
    written = export(tmp_path / "poses3d.bvh", alone, Format.BVH)
    assert set(tmp_path.iterdir()) == {*written, *kept}


def test_a_viewer_does_not_show_the_3d_view_as_the_video(tmp_path: Path) -> None:
    for layout, offered in (("3d", False), ("overlay", True)):
        made = replace(sample(), made_with={**sample().made_with, "drawing": {"layout": layout}})
        export(tmp_path / "viewer.html", made, Format.VIEWER)
        assert ('"url":"overlay.mp4"' in (tmp_path / "viewer.html").read_text()) is offered


@pytest.mark.parametrize("to", [Format.BVH, Format.GLB, Format.TRC])
def test_a_recording_of_keypoints_says_what_it_lacks(tmp_path: Path, to: Format) -> None:
    with pytest.raises(DataError, match="kinelift run VIDEO --keypoints"):
        export(tmp_path / to.file, recording(Person(1, track())), to)


def test_export_says_that_it_resampled(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    save(tmp_path / "recording.npz", uneven(sample()))
    assert main(["export", str(tmp_path / "recording.npz"), "--to", "trc"]) == 0
    told = capsys.readouterr()
    assert "poses3d.trc is resampled to" in " ".join((told.out + told.err).split())


def test_a_table_of_angles_is_no_picture(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["export", str(FILE), "--to", "angles", "-o", str(tmp_path / "a.png")]) == 1
    assert "name of the table" in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


def test_formats_are_named_with_commas() -> None:
    assert Format.parse("") == () and Format.parse("glb, bvh,glb") == (Format.GLB, Format.BVH)
    with pytest.raises(SettingsError, match=r"no export format 'fbx'.*bvh"):
        Format.parse("bvh,fbx")


@pytest.mark.parametrize(("name", "formats", "expected"), [
    ("poses3d-person12.bvh", (Format.GLB, Format.BVH), True), ("poses3d.bvh.json", (Format.BVH,), True),
    ("poses3d-person1.trc", (Format.BVH,), False), ("my-person1.bvh", (Format.BVH,), False),
    ("angles.png", (Format.ANGLES,), True), ("angles.png", (Format.BVH,), False), ("anything", (), False),
])  # fmt: skip
def test_which_files_are_exports(name: str, formats: tuple[Format, ...], expected: bool) -> None:
    assert belongs_to(name, formats) is expected


def test_run_exports_and_replaces_earlier_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(spec: PipelineSpec) -> Pipeline:
        return pipeline(script(12, lambda k: 30.0 + k, lambda k: 120.0), people=spec.settings.people)

    monkeypatch.setattr(Pipeline, "open", opened)
    clip = write_clip(tmp_path / "dance.mp4", steady(12), size=(160, 120))
    with pytest.raises(SettingsError, match="no export format"):
        kinelift.run(clip, tmp_path / "out", export="bhv")
    assert not (tmp_path / "out").exists()
    kinelift.run(clip, tmp_path / "out", export="bvh,glb")
    folder = tmp_path / "out" / "dance"
    exports = {"poses3d-person1.bvh", "poses3d-person2.bvh", "poses3d.bvh.json", "poses3d.glb", "poses3d.glb.json"}
    assert exports <= {path.name for path in folder.iterdir()}
    (folder / "mine.bvh").write_text("kept")
    kinelift.run(clip, tmp_path / "out", export="bvh", people="main")
    names = {path.name for path in folder.iterdir()}
    (main,) = kinelift.load(folder / "recording.npz").people
    gone = {"poses3d-person1.bvh", "poses3d-person2.bvh"} - {f"poses3d-person{main.id}.bvh"}
    assert not gone & names and {f"poses3d-person{main.id}.bvh", "poses3d.glb", "mine.bvh"} <= names


def test_a_run_without_people_says_that_there_is_no_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pipeline, "open", lambda spec: pipeline(script(12)))
    clip = write_clip(tmp_path / "empty.mp4", steady(12), size=(160, 120))
    with pytest.warns(UserWarning, match="no glb file.*has no 3D poses"):
        kinelift.run(clip, tmp_path / "out", export="glb,json")
    names = {path.name for path in (tmp_path / "out" / "empty").iterdir()}
    assert {"poses3d.json", "overlay.mp4"} <= names and "poses3d.glb" not in names
