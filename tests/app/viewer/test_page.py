"""What the page is made of, without a browser."""

import json
import re
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from kinelift.app.export.formats import Format, export
from kinelift.app.export.viewer_page import path_between, write_viewer
from kinelift.app.viewer import LinkedFile
from kinelift.poses import Action, Person, Poses3D, Recording, Track2D, VideoFacts
from kinelift.weights.store import locate
from tests.poses.scenes import person, recording

EVIL = "</script><img src=x onerror=alert(1)>"


def page(folder: Path, original: Recording) -> str:
    write_viewer(folder / "viewer.html", original)
    return (folder / "viewer.html").read_text(encoding="utf-8")


def header(text: str) -> dict:
    (found,) = re.findall(r'<script type="application/json" id="clip">(.*?)</script>', text)
    return dict(json.loads(found))


def test_nothing_comes_from_the_network(tmp_path: Path) -> None:
    text = page(tmp_path, recording(person(1)))
    markup = re.sub(r"data:text/javascript;base64,[A-Za-z0-9+/=]+", "", text)
    assert not re.search(r"https?://|//[a-z]+\.|@import|\bsrc=(?!\")", markup)
    (imports,) = re.findall(r'<script type="importmap">(.*?)</script>', text)
    urls = json.loads(imports)["imports"]
    assert all(url.startswith("data:text/javascript;base64,") for url in urls.values())
    assert b64decode(urls["three"].partition(",")[2]) == locate("three").read_bytes()
    modules = [b64decode(url.partition(",")[2]).decode() for url in urls.values()]
    imported = {name for module in modules for name in re.findall(r'^(?:import|\}) .*from "([^"]+)";', module, re.M)}
    assert imported <= set(urls)


def test_the_policy_allows_what_the_page_has_and_nothing_else(tmp_path: Path) -> None:
    text = page(tmp_path, recording(person(1)))
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'" and "unsafe" not in policy and "http" not in policy
    scripts = re.findall(r'<script type="(?:importmap|module)">(.*?)</script>', text)
    styles = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(scripts) == 2 and len(styles) == 1
    for content, rule in [*((script, "script-src") for script in scripts), (styles[0], "style-src")]:
        assert f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in rules[rule]


def test_names_and_labels_are_text(tmp_path: Path) -> None:
    somebody = replace(person(1), actions=(Action(0.0, 0.5, EVIL, 0.5, ((EVIL, 0.5),)),))
    original = recording(somebody)
    text = page(tmp_path, replace(original, video=replace(original.video, name=EVIL)))
    assert text.count("</script>") == text.count("<script") == 4 and "<img" not in text
    assert header(text)["name"] == EVIL and header(text)["people"][0]["actions"][0]["label"] == EVIL
    assert text.count("&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;") == 2


def test_a_name_that_is_no_text_is_written(tmp_path: Path) -> None:
    original = recording(person(1))
    text = page(tmp_path, replace(original, video=replace(original.video, name="caf\udce9")))
    assert "<h1>caf\\xe9</h1>" in text


@pytest.mark.parametrize(("path", "url"), [
    ("overlay.mp4", "overlay.mp4"),
    ("../a b#c?100%.mp4", "../a%20b%23c%3F100%25.mp4"),
    ("javascript:alert(1)", "javascript%3Aalert%281%29"),
    ("caf\udce9.mp4", "caf%E9.mp4"),
])  # fmt: skip
def test_paths_become_relative_urls(path: str, url: str) -> None:
    assert LinkedFile(path, "").to_json()["url"] == url


def test_files_beside_are_linked(tmp_path: Path) -> None:
    for name in ("poses3d.csv", "overlay.mp4", "notes.txt"):
        (tmp_path / name).touch()
    found = header(page(tmp_path, recording(person(1))))
    assert [file["name"] for file in found["files"]] == ["overlay.mp4", "poses3d.csv"]
    assert [video["url"] for video in found["videos"]] == ["overlay.mp4"]
    export(tmp_path / "again.html", recording(person(1)), Format.VIEWER)
    assert (tmp_path / "again.html").read_bytes() == (tmp_path / "viewer.html").read_bytes()


def test_the_source_is_named_by_its_path_from_the_page(tmp_path: Path) -> None:
    (tmp_path / "out" / "dance").mkdir(parents=True)
    (tmp_path / "dance.mp4").touch()
    assert path_between(tmp_path / "out" / "dance", tmp_path / "dance.mp4") == Path("../../dance.mp4")
    assert path_between(tmp_path / "out", tmp_path / "img_%04d.jpg") is None
    assert path_between(Path("/proc"), tmp_path / "dance.mp4") is None


def test_a_page_of_a_long_video_is_below_ten_megabytes(tmp_path: Path) -> None:
    frames, chance = 40 * 60 * 25, np.random.default_rng(0)
    times = np.arange(frames) / 25
    short = person(1)
    assert short.poses is not None
    joints = len(short.poses.skeleton)
    points = np.cumsum(chance.normal(0, 10, (frames, joints, 3)).astype(np.float32), axis=0)
    keypoints = np.zeros((frames, len(short.track.skeleton)))
    track = Track2D(keypoints[..., None] + np.zeros(2), keypoints, times, keypoints > 0, 0, (64, 48))
    poses = Poses3D(points.astype(float), times, np.tile([0.0, 0.0, 4.0], (frames, 1)))
    long = Recording(VideoFacts("long", 64, 48, times), (Person(1, track, poses, ()),))
    text = page(tmp_path, long)
    assert 2_000_000 < len(text) < 10_000_000
    assert header(text)["step"] > 1
