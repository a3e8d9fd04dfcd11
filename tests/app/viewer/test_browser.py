"""The page in a real browser, opened from its file and used with keyboard and mouse."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from kinelift.app.export.viewer_page import write_viewer
from kinelift.poses import Action, JointState, Recording, World
from kinelift.poses.camera import Camera
from tests.app.viewer.browser import Browser, browser, program
from tests.clips import write_clip
from tests.poses.scenes import person, recording

EVIL = "</script><img src=x onerror=window.hacked=1>"
TIMES = np.round(np.cumsum(np.random.default_rng(3).uniform(0.02, 0.15, 20)) - 0.02, 4)
TIMES[0] = 0.0
"""A frame rate that varies."""

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium or Chrome here (set CHROMIUM to its path)")


@dataclass(frozen=True)
class Opened:
    """A page in a browser, and what it was made from."""

    browser: Browser
    recording: Recording
    folder: Path


def standing(number: int, start: int = 0, frames: int = 20) -> object:
    """Somebody with everything known about them, who stands a metre beside the middle, at the varying times."""
    made = person(number, start, frames)
    times = TIMES[start : start + frames]
    assert made.poses is not None and made.actions is not None
    points = made.poses.points * 0.5 + 0.0
    points[:1] = 0.0
    root = np.tile([float(number - 2), -1.0, 4.0], (frames, 1))
    middle = float(times[len(times) // 2])
    actions = (
        Action(float(times[0]), middle, "walk", 0.9, (("walk", 0.9), ("run", 0.1))),
        Action(middle, float(times[-1]), EVIL, 0.4),
    )
    posed = replace(made.poses, points=points, root=root, times=times)
    return replace(made, track=replace(made.track, times=times), poses=posed, actions=actions)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recording]:
    """A folder with a page of two people, person 1 throughout and person 3 from frame 5 to 11, and the video."""
    folder = tmp_path_factory.mktemp("results")
    original = recording(standing(1), standing(3, start=5, frames=7))
    original = replace(
        original,
        video=replace(original.video, name=EVIL, times=TIMES),
        world=World(np.diag([1.0, -1.0, -1.0]), np.array([0.0, 1.0, 4.0])),
        camera=Camera.from_focal(80.0, (64, 48)),
    )
    write_clip(folder / "overlay.mp4", [Fraction(str(round(time, 4))) for time in TIMES], clock=10_000)
    for name in ("poses3d.csv", "actions.json"):
        (folder / name).touch()
    write_viewer(folder / "viewer.html", original)
    return folder, original


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(chromium: Browser, made: tuple[Path, Recording]) -> Opened:
    folder, original = made
    chromium.problems.clear()
    chromium.requests.clear()
    chromium.resize(1280, 720)
    chromium.visit(folder / "viewer.html")
    return Opened(chromium, original, folder)


def frame_of(page: Opened) -> int:
    return int(re.findall(r"frame (\d+)", page.browser.text("#clock"))[0])


def picture(page: Opened, selector: str) -> np.ndarray:
    """An element as it looks now."""
    box = page.browser.evaluate(
        f"new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {{"
        f" const b = document.querySelector('{selector}').getBoundingClientRect();"
        f" done([b.left, b.top, b.right, b.bottom].map(Math.round)); }})))"
    )
    image = cv2.imdecode(np.frombuffer(page.browser.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image[box[1] : box[3], box[0] : box[2]]).astype(int)


def pressed(page: Opened, selector: str) -> bool:
    return bool(page.browser.evaluate(f"document.querySelector({json.dumps(selector)}).ariaPressed") == "true")


class TestOpening:
    def test_from_a_file_without_a_network_and_without_a_complaint(self, page: Opened) -> None:
        beside = {url for url in page.browser.requests if not url.startswith("data:")}
        assert beside == {(page.folder / name).as_uri() for name in ("viewer.html", "overlay.mp4")}
        assert page.browser.problems == []

    def test_what_is_sent_elsewhere_is_stopped_by_the_policy(self, page: Opened) -> None:
        sent = "fetch('https://example.org/x').then(() => 'sent', () => 'stopped')"
        assert page.browser.evaluate(sent) == "stopped"
        assert any("Content Security Policy" in problem for problem in page.browser.problems)

    def test_names_and_labels_are_text(self, page: Opened) -> None:
        assert page.browser.text("h1") == EVIL
        assert any(
            EVIL in text
            for text in page.browser.evaluate("[...document.querySelectorAll('.bar')].map((b) => b.textContent)")
        )
        assert page.browser.evaluate("[document.images.length, typeof window.hacked]") == [0, "undefined"]

    @pytest.mark.parametrize("size", [(1280, 720), (1280, 600), (1024, 640), (1920, 1080)])
    def test_everything_fits_a_laptop_s_screen(self, page: Opened, size: tuple[int, int]) -> None:
        page.browser.resize(*size)
        root = "document.documentElement"
        assert page.browser.evaluate(f"[{root}.scrollWidth <= innerWidth, {root}.scrollHeight <= innerHeight]") == [
            True,
            True,
        ]
        for part in ("#video", "#world", "#transport", "#lanes", "#open-help"):
            box = page.browser.evaluate(f"document.querySelector('{part}').getBoundingClientRect().toJSON()")
            assert 0 <= box["left"] < box["right"] <= size[0] and 0 <= box["top"] < box["bottom"] <= size[1], part
        assert page.browser.evaluate("document.querySelector('#world').clientHeight") >= 200

    def test_a_narrow_window_scrolls_down_but_not_sideways(self, page: Opened) -> None:
        page.browser.resize(420, 800)
        assert page.browser.evaluate("document.documentElement.scrollWidth") <= 420

    @pytest.mark.parametrize("theme", ["dark", "light"])
    def test_text_can_be_read(self, page: Opened, theme: str) -> None:
        if page.browser.evaluate("document.documentElement.dataset.theme") != theme:
            page.browser.click("#theme")
        assert page.browser.evaluate("document.documentElement.dataset.theme") == theme
        for text, ground in (
            ("text", "panel"),
            ("muted", "panel"),
            ("text", "raised"),
            ("muted", "page"),
            ("on-accent", "accent"),
        ):
            assert contrast(page, f"--{text}", f"--{ground}") >= 4.5, (text, ground)

    def test_every_control_has_a_name(self, page: Opened) -> None:
        nodes = page.browser.send("Accessibility.getFullAXTree")["nodes"]
        controls = [
            (node["role"]["value"], node["name"]["value"]) for node in nodes
            if not node["ignored"] and node["role"]["value"] in ("button", "slider", "combobox", "application", "link")
        ]  # fmt: skip
        assert len(controls) > 20 and all(name.strip() for _, name in controls), controls
        assert {"Play", "Previous frame", "Time", "Speed", "Show Person 1", "Keyboard shortcuts"} <= {
            name for _, name in controls
        }


class TestPoses:
    def test_the_page_holds_the_joints_of_the_recording(self, page: Opened) -> None:
        for index, somebody in enumerate(page.recording.people):
            held = page.browser.evaluate(
                f"import('viewer/clip').then(async ({{ readClip }}) => {{ const p = (await readClip()).people[{index}];"
                "return Array.from({ length: p.length }, (_, row) => p.joints.map((_, j) => {"
                "const place = p.point(row, j, {}); return place && [place.x, place.y, place.z]; })); })"
            )
            assert somebody.poses is not None and somebody.poses.root is not None and page.recording.world is not None
            expected = page.recording.world.from_camera(somebody.poses.points + somebody.poses.root[:, None])
            found = np.array([[place or [np.nan] * 3 for place in row] for row in held], float)
            np.testing.assert_allclose(found, expected, atol=0.00051)

    def test_the_times_are_those_of_the_recording(self, page: Opened) -> None:
        held = page.browser.evaluate("import('viewer/clip').then(async (m) => [...(await m.readClip()).times])")
        assert held == TIMES.tolist()

    def test_somebody_is_drawn_while_they_are_there_and_not_hidden(self, page: Opened) -> None:
        page.browser.press("c")
        page.browser.press("p")
        with_both = self.at(page, 8)
        page.browser.click('[aria-label="Show Person 3"]')
        without = picture(page, "#world canvas")
        assert changed(with_both, without) > 50
        page.browser.click('[aria-label="Show Person 3"]')
        assert changed(with_both, picture(page, "#world canvas")) == 0
        assert changed(self.at(page, 13), self.at(page, 14)) > 50  # person 1 moves
        page.browser.click('[aria-label="Show Person 1"]')
        assert changed(self.at(page, 13), self.at(page, 14)) == 0  # nobody is left

    def test_body_paths_and_views(self, page: Opened) -> None:
        skeleton = self.at(page, 8)
        page.browser.press("b")
        assert pressed(page, "[data-mode=body]") and not pressed(page, "[data-mode=skeleton]")
        body = picture(page, "#world canvas")
        assert changed(skeleton, body) > 200
        page.browser.click("[data-view=top]")
        assert changed(body, picture(page, "#world canvas")) > 200
        page.browser.click("[data-toggle=paths]")
        assert not pressed(page, "[data-toggle=paths]")

    def test_the_view_is_turned_by_mouse_and_by_keys(self, page: Opened) -> None:
        before = self.at(page, 8)
        page.browser.drag("#world canvas", (0.5, 0.6), (0.7, 0.6))
        dragged = picture(page, "#world canvas")
        assert changed(before, dragged) > 200
        page.browser.evaluate("document.querySelector('#world canvas').focus()")
        page.browser.press("ArrowLeft")
        assert changed(dragged, picture(page, "#world canvas")) > 200 and frame_of(page) == 8

    def test_the_selected_person_is_followed(self, page: Opened) -> None:
        self.at(page, 8)
        assert pressed(page, "[data-toggle=follow]") and pressed(page, "#lanes .row:nth-child(1) .person")
        first = picture(page, "#world canvas")
        page.browser.press("3")
        assert pressed(page, "#lanes .row:nth-child(2) .person") and page.browser.text("#whose") == "Person 3"
        assert changed(first, picture(page, "#world canvas")) > 200
        page.browser.press("f")
        assert not pressed(page, "[data-toggle=follow]")

    def test_the_view_stays_while_the_followed_person_is_not_there(self, page: Opened) -> None:
        before = self.at(page, 2)
        page.browser.press("3")
        assert changed(before, picture(page, "#world canvas")) < 200  # the label of person 1 is paler

    def test_guesses_are_fainter_and_never_seen_joints_are_left_out(self, page: Opened, tmp_path: Path) -> None:
        def shown(name: str, state: JointState | None) -> int:
            """Strongly coloured pixels of a skeleton whose joints, apart from the trunk's, have a state, or none."""
            poses = page.recording.people[0].poses
            assert poses is not None and poses.seen is not None
            limbs = [j for j, joint in enumerate(poses.skeleton.joints) if joint.partition("_")[2]]
            points, seen = poses.points.copy(), np.full_like(poses.seen, JointState.SEEN)
            if state is None:
                points[:, limbs] = np.nan
            else:
                seen[:, limbs] = state
            somebody = replace(page.recording.people[0], poses=replace(poses, points=points, seen=seen))
            write_viewer(tmp_path / name, replace(page.recording, people=(somebody,)))
            page.browser.visit(tmp_path / name, "view=camera&theme=dark")
            page.browser.press("p")
            image = self.at(page, 8)
            return int((image.max(axis=-1) - image.min(axis=-1) > 100).sum())

        seen, guessed = shown("seen.html", JointState.SEEN), shown("guess.html", JointState.UNSEEN)
        missing = shown("missing.html", None)
        assert seen > 1.5 * guessed and guessed > missing

    def test_without_webgl_the_rest_works(self, page: Opened) -> None:
        off = page.browser.send(
            "Page.addScriptToEvaluateOnNewDocument",
            source="const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = "
            "function (kind, ...rest) { return kind.startsWith('webgl') ? null : get.call(this, kind, ...rest); };",
        )
        page.browser.visit(page.folder / "viewer.html")
        page.browser.send("Page.removeScriptToEvaluateOnNewDocument", **off)
        assert "needs WebGL" in page.browser.text("#world .message")
        page.browser.press("End")
        assert frame_of(page) == 19

    def at(self, page: Opened, frame: int) -> np.ndarray:
        page.browser.press("Home")
        for _ in range(frame):
            page.browser.press("ArrowRight")
        assert frame_of(page) == frame
        return picture(page, "#world canvas")


class TestPlaying:
    def test_each_step_shows_its_frame_of_a_video_of_varying_rate(self, page: Opened) -> None:
        video = "document.querySelector('video')"
        for frame in range(20):
            if frame:
                page.browser.press("ArrowRight")
            assert frame_of(page) == frame
            page.browser.wait(f"!{video}.seeking")
            ends = [*TIMES[1:], TIMES[-1] + 1]
            assert TIMES[frame] <= page.browser.evaluate(f"{video}.currentTime") < ends[frame]

    def test_space_plays_to_the_end_with_the_video(self, page: Opened) -> None:
        page.browser.press("Home")
        page.browser.evaluate(
            "(() => { const v = document.querySelector('video'); window.shown = [];"
            " const note = (_, { mediaTime }) => {"
            " setTimeout(() => window.shown.push([mediaTime, document.querySelector('#clock').textContent]));"
            " v.requestVideoFrameCallback(note); }; v.requestVideoFrameCallback(note); })()"
        )
        for key in "<<< ":
            page.browser.press(key)
        page.browser.wait("document.querySelector('#play').ariaLabel === 'Play'")
        assert frame_of(page) == 19
        shown = page.browser.evaluate("window.shown")
        during = [(time, int(re.findall(r"frame (\d+)", text)[0])) for time, text in shown[1:-1]]
        assert len({frame for _, frame in during}) > 3
        for time, frame in during:
            assert abs(TIMES[frame] - time) < 1e-3

    def test_without_a_video_it_plays_by_the_clock(self, page: Opened, tmp_path: Path) -> None:
        write_viewer(tmp_path / "alone.html", page.recording)
        page.browser.visit(tmp_path / "alone.html")
        assert "overlay.mp4: not beside this page" in page.browser.text("#video .message")
        page.browser.press("Home")
        page.browser.press(" ")
        assert page.browser.evaluate("document.querySelector('#play').ariaLabel") == "Pause"
        page.browser.wait("document.querySelector('#play').ariaLabel === 'Play'")
        assert frame_of(page) == 19

    def test_a_video_that_the_browser_cannot_play_is_not_shown(self, page: Opened, tmp_path: Path) -> None:
        write_viewer(tmp_path / "viewer.html", page.recording)
        (tmp_path / "overlay.mp4").write_text("not a video")
        page.browser.visit(tmp_path / "viewer.html")
        assert page.browser.evaluate("document.querySelector('#video').dataset.state") == "empty"

    def test_the_user_can_open_a_video(self, page: Opened, tmp_path: Path) -> None:
        write_viewer(tmp_path / "viewer.html", page.recording)
        page.browser.visit(tmp_path / "viewer.html")
        page.browser.choose_file("#video input", page.folder / "overlay.mp4")
        page.browser.wait("document.querySelector('#video').dataset.state === 'ready'")
        longer = write_clip(tmp_path / "longer.mp4", [Fraction(k, 10) for k in range(60)])
        page.browser.choose_file("#video input", longer)
        page.browser.wait("document.querySelector('#video .message').textContent.includes('longer.mp4 is 5.9 s long')")

    def test_of_a_video_with_the_3d_view_beside_only_the_video_is_shown(self, page: Opened, tmp_path: Path) -> None:
        write_viewer(tmp_path / "viewer.html", page.recording)
        wide = np.zeros((48, 116, 3), np.uint8)
        wide[:, :64], wide[:, 68:] = (200, 30, 30), (30, 30, 200)
        write_clip(tmp_path / "overlay.mp4", [Fraction(k, 20) for k in range(20)], size=(116, 48), images=[wide] * 20)
        page.browser.visit(tmp_path / "viewer.html")
        page.browser.wait("!document.querySelector('video').seeking")
        middle = picture(page, "#video .frame")[5:150, 5:-5].reshape(-1, 3)
        assert (middle[:, 2] > middle[:, 0]).all()  # red, nowhere blue

    def test_speed(self, page: Opened) -> None:
        page.browser.press(">")
        assert page.browser.evaluate(
            "[document.querySelector('#speed').value, document.querySelector('video').playbackRate]"
        ) == ["1.5", 1.5]
        page.browser.press("<")
        page.browser.press("<")
        assert page.browser.evaluate("document.querySelector('video').playbackRate") == 0.5

    def test_the_slider(self, page: Opened) -> None:
        page.browser.drag("#scrub", (0.5, 0.5), (0.999, 0.5))
        assert frame_of(page) >= 18
        page.browser.press("ArrowLeft")
        assert frame_of(page) in (17, 18)


class TestTimeline:
    def test_a_click_on_an_action_goes_to_its_start(self, page: Opened) -> None:
        page.browser.click("#lanes .row:nth-child(1) .bar:last-child")
        assert page.recording.people[0].actions is not None
        start = page.recording.people[0].actions[1].start
        assert frame_of(page) == int(np.searchsorted(TIMES, start))
        name = page.browser.evaluate("document.querySelector('#lanes .bar').ariaLabel")
        assert name.startswith("walk 90 %, or run 10 %, 0:00.00 to ")

    def test_a_press_in_the_plots_goes_to_that_time(self, page: Opened) -> None:
        page.browser.drag("#plots .row:not([hidden]) canvas", (0.1, 0.5), (0.5, 0.5))
        assert frame_of(page) == int(np.searchsorted(TIMES, TIMES[-1] / 2, side="right")) - 1

    def test_angles_are_written_beside_their_plots(self, page: Opened) -> None:
        page.browser.press("Home")
        for _ in range(6):
            page.browser.press("ArrowRight")
        poses = page.recording.people[0].poses
        assert poses is not None
        layout = poses.skeleton
        hip, knee, ankle = (poses.points[6, layout.index(f"left_{joint}")] for joint in ("hip", "knee", "ankle"))
        cosine = (hip - knee) @ (ankle - knee) / np.linalg.norm(hip - knee) / np.linalg.norm(ankle - knee)
        shown = page.browser.text("#plots .row .values span")
        assert abs(int(shown.rstrip("°")) - (180 - np.degrees(np.arccos(cosine)))) <= 0.6

    def test_plots_are_chosen(self, page: Opened) -> None:
        rows = "[...document.querySelectorAll('#plots .row')].filter((row) => !row.hidden).length"
        before = page.browser.evaluate(rows)
        page.browser.click("#chips button:nth-child(4)")
        assert page.browser.evaluate(rows) == before + 1
        canvas = picture(page, "#plots .row:not([hidden]) canvas")
        assert canvas.std() > 2

    def test_time_is_zoomed(self, page: Opened) -> None:
        width = "document.querySelector('#lanes .presence').getBoundingClientRect().width"
        page.browser.press("Home")
        before = page.browser.evaluate(width)
        first_half = page.browser.evaluate("document.querySelector('#lanes .bar').getBoundingClientRect().width")
        page.browser.press("+")
        assert page.browser.evaluate(width) == pytest.approx(before, rel=0.02)  # cut at the edge
        assert (
            page.browser.evaluate("document.querySelector('#lanes .bar').getBoundingClientRect().width")
            > first_half * 1.5
        )


class TestDownloads:
    def test_joints_angles_and_actions_as_tables_and_all_as_json(self, page: Opened, tmp_path: Path) -> None:
        page.browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
        page.browser.click("#open-downloads")
        files = {}
        for number, ending in enumerate(("joints.csv", "angles.csv", "actions.csv", "viewer.json"), 1):
            page.browser.click(f"#made li:nth-child({number}) button")
            files[ending] = self.downloaded(page, tmp_path, ending)
        table = list(csv.DictReader(files["joints.csv"].read_text().splitlines()))
        assert len(table) == (20 + 7) * 17
        poses = page.recording.people[1].poses
        assert poses is not None and poses.root is not None and page.recording.world is not None
        rows = [row for row in table if row["person"] == "3"]
        expected = page.recording.world.from_camera(poses.points + poses.root[:, None]).reshape(-1, 3)
        found = [[float(row[axis] or "nan") for axis in "xyz"] for row in rows]
        np.testing.assert_allclose(found, expected, atol=0.00051)
        assert {int(row["frame"]) for row in rows} == set(range(5, 12))
        assert poses.seen is not None
        words = np.array(["unseen", "interpolated", "seen"])
        assert [row["seen"] for row in rows] == words[poses.seen].ravel().tolist()
        actions = list(csv.DictReader(files["actions.csv"].read_text().splitlines()))
        assert [row["label"] for row in actions] == ["walk", EVIL] * 2
        assert (
            files["angles.csv"].read_text().startswith("person,frame,time,angle,side,degrees,guess\n1,0,0,knee,left,")
        )
        document = json.loads(files["viewer.json"].read_text())
        assert document["times"] == TIMES.tolist() and [one["id"] for one in document["people"]] == [1, 3]

    def test_files_beside_are_linked(self, page: Opened) -> None:
        links = page.browser.evaluate("[...document.querySelectorAll('#beside a')].map((a) => a.getAttribute('href'))")
        assert links == ["overlay.mp4", "poses3d.csv", "actions.json"]

    def downloaded(self, page: Opened, folder: Path, ending: str) -> Path:
        page.browser.until(lambda: bool([*folder.glob(f"*{ending}")]), f"no {ending} in {[*folder.iterdir()]}")
        (found,) = folder.glob(f"*{ending}")
        return found


def test_the_address_chooses_time_person_and_looks(page: Opened) -> None:
    page.browser.visit(page.folder / "viewer.html", f"t={TIMES[8] + 0.001}&person=3&mode=body&theme=dark&view=camera")
    assert frame_of(page) == 8 and page.browser.text("#whose") == "Person 3"
    assert pressed(page, "[data-mode=body]") and not pressed(page, "[data-toggle=follow]")
    assert page.browser.evaluate("document.documentElement.dataset.theme") == "dark"
    page.browser.visit(page.folder / "viewer.html", f"t=x&person={EVIL}&mode={EVIL}&theme={EVIL}&view={EVIL}")
    assert frame_of(page) == 0 and page.browser.problems == []


def test_help_lists_the_keys_and_is_closed_by_escape(page: Opened) -> None:
    page.browser.press("?")
    assert page.browser.evaluate("document.querySelector('#help').open")
    assert "play or pause" in page.browser.text("#keys")
    page.browser.press("Escape")
    assert not page.browser.evaluate("document.querySelector('#help').open")


def test_nobody_and_people_without_poses(chromium: Browser, tmp_path: Path) -> None:
    write_viewer(tmp_path / "nobody.html", recording())
    chromium.problems.clear()
    chromium.visit(tmp_path / "nobody.html")
    assert "Nobody was found" in chromium.text("#lanes") and all("FILE_NOT_FOUND" in one for one in chromium.problems)


def changed(before: np.ndarray, after: np.ndarray) -> int:
    """Number of pixels that differ visibly."""
    return int((np.abs(before - after).max(axis=-1) > 40).sum())


def contrast(page: Opened, text: str, ground: str) -> float:
    """The contrast of two colours of the page, as WCAG 2 defines it."""
    light = []
    for name in (text, ground):
        value = page.browser.evaluate(
            "(() => { const c = document.createElement('canvas').getContext('2d');"
            f" c.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('{name}').trim();"
            " c.fillRect(0, 0, 1, 1); return [...c.getImageData(0, 0, 1, 1).data]; })()"
        )
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in value[:3])]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)
