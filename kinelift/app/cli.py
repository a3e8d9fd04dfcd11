"""The commands as typed functions. Slow imports are deferred until a command needs them."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import DisallowNone, FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from kinelift.app.detection_flags import DetectionFlags, LiveDetectionFlags
from kinelift.app.live.settings import LiveSettings
from kinelift.app.settings import Drawing, Settings, TrackingSettings
from kinelift.app.video import Part, Reading, Video, video_name
from kinelift.poses.errors import OutputError, SettingsError
from kinelift.poses.output import make_folder
from kinelift.poses.overwriting import check_outputs
from kinelift.terminal.parsing import Command, run_command
from kinelift.terminal.reporter import Quiet, Reporter

Device = Annotated[str, arg(metavar="auto|cpu|cuda|cuda:N")]
ExportFormat = Literal["json", "csv", "npz", "bvh", "glb", "trc", "mot", "c3d", "angles", "timeline", "viewer"]
File = Annotated[Path | None, arg(metavar="FILE", aliases=["-o"])]
VideoFile = Annotated[Positional[Path], arg(metavar="VIDEO")]
RecordingFile = Annotated[Positional[Path], arg(metavar="RECORDING")]
QuietFlag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]
RestartFlag = Annotated[bool, FlagCreatePairsOff, arg(help_behavior_hint="")]
KEYPOINTS = {"openpose-json": "keypoints", "coco-json": "keypoints.json", "npz": "keypoints.npz"}
"""The default output of ``detect`` for each format."""


def run(
    video: VideoFile,
    more: Annotated[Positional[tuple[Path, ...]], arg(metavar="[VIDEO ...]")] = (),
    *,
    settings: OmitArgPrefixes[Settings],
    reading: OmitArgPrefixes[Reading],
    detection: DetectionFlags,
    drawing: OmitArgPrefixes[Drawing],
    out: Annotated[Path, arg(aliases=["-o"], metavar="FOLDER")] = Path("out"),
    lifter: Annotated[str, arg(metavar="NAME|PATH")] = "default",
    classifier: Annotated[str, arg(metavar="NAME|PATH")] = "actions",
    export: Annotated[str, arg(metavar="FORMAT,...")] = "",
    device: Device = "auto",
    restart: RestartFlag = False,
    quiet: QuietFlag = False,
) -> int:
    """Analyse videos and write the results of each to its own folder.

    OUT/NAME/ gets overlay.mp4, viewer.html, recording.npz, actions.json, timeline.png and poses3d.csv. If it holds the
    results of another video of that name, they go to OUT/NAME-2/ and so on.

    Args:
        video: The video to analyse: a file, a folder of pictures, or a pattern such as img_%04d.jpg.
        more: More videos. If one fails, the others are still analysed.
        out: The folder for the results.
        drawing: Drawing of overlay.mp4.
        settings: People, camera and 3D poses.
        reading: Reading of the video.
        detection: Detection of people in the frames.
        lifter: The 2D-to-3D network: a name (see kinelift weights list), or the path to a checkpoint or to a
            folder of specialists. Write ./NAME for a path without a suffix.
        classifier: The action classifier: a name, or the path to a checkpoint (see kinelift recognition train).
        export: Formats to write as well, separated by commas, such as bvh,glb (see kinelift export).
        device: Where the networks run; auto uses a GPU if there is one, and cuda:1 the second of several.
        restart: Start again. By default a run that was interrupted continues after the last ten seconds of video that
            it had completed.
        quiet: Print errors only.
    """
    from kinelift.app.batch import Batch
    from kinelift.app.export.formats import Format, check_available
    from kinelift.app.pipeline import Pipeline
    from kinelift.app.spec import PipelineSpec

    if "keypoints" in detection.options and more:
        raise SettingsError("--keypoints belongs to a single video. Run each video with its own keypoints.")
    videos, spec = (video, *more), PipelineSpec(detection, lifter, classifier, device, settings)
    exports = Format.parse(export)
    check_available(exports)
    batch = Batch(out, drawing, (*videos, *spec.paths()), _reporter(quiet), reading, restart, exports)
    return 1 if batch.run(videos, partial(Pipeline.open, spec)) else 0


def detect(
    video: VideoFile,
    *,
    tracking: OmitArgPrefixes[TrackingSettings],
    reading: OmitArgPrefixes[Reading],
    detection: DetectionFlags,
    to: Literal["openpose-json", "coco-json", "npz"] = "npz",
    out: Annotated[Path | None, arg(metavar="PATH", aliases=["-o"])] = None,
    device: Device = "auto",
    quiet: QuietFlag = False,
) -> int:
    """Detect and track people in a video, and write their 2D keypoints.

    Args:
        video: The video to analyse: a file, a folder of pictures, or a pattern such as img_%04d.jpg.
        tracking: People.
        reading: Reading of the video.
        detection: Detection of people in the frames.
        to: openpose-json: a folder with one file per frame. coco-json: a list of results with 17 joints. npz: a
            recording without 3D poses, which marks interpolated joints.
        out: The file or folder to write. By default out/NAME/keypoints.npz, keypoints.json or keypoints/.
        device: Where the networks run; auto uses a GPU if there is one, and cuda:1 the second of several.
        quiet: Print errors only.
    """
    from kinelift.app.batch import report_result
    from kinelift.app.detection import open_detector, resolve_auto
    from kinelift.app.results import file_for
    from kinelift.app.spec import PipelineSpec, made_with, pick_device
    from kinelift.app.tracking import track_people
    from kinelift.poses.keypoints import Format, check, write

    reporter, source = _reporter(quiet), Video(video, reading)
    torch_device = pick_device(device)
    detection = resolve_auto(detection, torch_device)
    opened = open_detector(detection, torch_device)
    provenance = made_with({"detection": detection, "device": torch_device, "settings": tracking}, opened.notes)
    with nullcontext(out) if out else file_for(video, Path("out"), KEYPOINTS[to], reporter.note) as path:
        check_outputs([path], [video, *source.files, *PipelineSpec(detection).paths()])
        check(path, video_name(video), Format(to))
        make_folder(path.parent)
        if opened.description:
            reporter.info(f"detector: {opened.description}")
        with reporter.progress(video.name) as progress:
            recording = track_people(
                source, opened.detector, tracking, provenance, progress, opened.repair, opened.remarks
            )
        write(path, recording, Format(to))
    report_result(path, source, recording, reporter)
    return 0


def live(
    source: Annotated[Positional[str], arg(metavar="CAMERA|FILE")],
    *,
    settings: OmitArgPrefixes[LiveSettings],
    detection: LiveDetectionFlags,
    window: bool = True,
    record: File = None,
    lifter: Annotated[str, arg(metavar="NAME|PATH")] = "live",
    classifier: Annotated[str, arg(metavar="NAME|PATH")] = "actions",
    device: Device = "auto",
) -> int:
    """Follow people in front of a camera, or in a video played in real time: poses, actions, 3D view.

    Frames that come while one is analysed are dropped. In the window, q or Esc ends, and space holds the picture;
    without it, Ctrl-C ends.

    Args:
        source: The number of a camera (0 is the first), or a video file.
        settings: People and camera.
        detection: Detection of people in the frames.
        window: Show a window. Without it, a line is printed every second.
        record: Also write a recording to this file (.npz), and the frames that were analysed beside it (.mp4).
        lifter: The 2D-to-3D network, one that needs no future frames: a name (see kinelift weights list), or the path
            to a checkpoint.
        classifier: The action classifier: a name, or the path to a checkpoint (see kinelift recognition train).
        device: Where the networks run; auto uses a GPU if there is one, and cuda:1 the second of several.
    """
    from kinelift.app.live.recorder import record_files
    from kinelift.app.live.session import run_live
    from kinelift.app.live.sources import open_source
    from kinelift.app.live.window import check_display
    from kinelift.app.pipeline import Pipeline
    from kinelift.app.spec import PipelineSpec

    reporter, opened = Reporter(), open_source(source)
    spec = PipelineSpec(detection, lifter, classifier, device, settings.whole())
    if record:
        check_outputs(record_files(record), [*opened.files, *spec.paths()])
    if window:
        check_display()
    pipeline = Pipeline.open(spec)
    reporter.info(f"detector: {pipeline.description}")
    reporter.result(str(run_live(opened, pipeline, reporter, window=window, record=record)))
    if record:
        for file in record_files(record):
            reporter.result(str(file))
    return 0


def render(
    recording: RecordingFile,
    video: VideoFile,
    out: File = None,
    viewer: bool = False,
    part: Annotated[str | None, arg(name="range", metavar="START-END")] = None,
    quiet: QuietFlag = False,
    *,
    drawing: OmitArgPrefixes[Drawing],
    reading: OmitArgPrefixes[Reading],
) -> int:
    """Redraw a recording on its video, without analysing it again.

    Args:
        recording: A recording.npz written by kinelift run.
        video: The video that the recording was made from.
        out: The file to write. By default, beside the recording: overlay.mp4 with side-by-side, overlay-2d.mp4 with
            overlay, overlay-3d.mp4 with 3d; with --range, the range is added to the name.
        part: Draw a part of the video only, such as 12s-20s, 1:05-1:20, 12s- or -20s.
        viewer: Also write viewer.html beside it, with this video.
        quiet: Print errors only.
        drawing: Drawing of the video.
        reading: Reading of the video, as when it was analysed.
    """
    from kinelift.app import pipeline
    from kinelift.app.batch import least_size
    from kinelift.app.export.viewer_page import path_between, write_viewer
    from kinelift.app.results import VIEWER, drawn_name
    from kinelift.poses.recording import load

    span = Part() if part is None else Part.parse(part)
    reporter, source = _reporter(quiet), Video(video, reading)
    path = out or recording.with_name(drawn_name(drawing.layout, span.suffix))
    if path.suffix.lower() != ".mp4":
        raise OutputError(f"{path} must end in .mp4, the format of drawn videos.")
    written = [path, path.with_name(VIEWER)] if viewer else [path]
    check_outputs(written, [video, *source.files, recording], least_size(source, drawing) if span.whole else 0)
    result = load(recording)
    with reporter.progress(video.name) as progress:
        pipeline.render(result, source, path, drawing, progress, span)
    if viewer:
        shown = path.name if span.whole and drawing.layout != "3d" else None
        write_viewer(path.with_name(VIEWER), result, shown, path_between(path.parent, video))
    for file in written:
        reporter.result(str(file))
    for note in source.notes:
        reporter.note(note)
    return 0


def export(
    recording: RecordingFile,
    to: ExportFormat,
    out: File = None,
    names: Annotated[Literal["plain", "mixamo"], arg(metavar="plain|mixamo")] = "plain",
) -> int:
    """Convert a recording to a format that other programs read.

    Args:
        recording: A recording.npz written by kinelift run.
        to: json: everything. csv: one row per person, frame and joint. npz: plain NumPy arrays. bvh: joint rotations,
            for animation, one file per person. glb: everybody in one animated scene. trc, mot: markers and joint angles
            for OpenSim, one file per person. c3d: markers, one file per person. angles: joint angles by ISB's
            convention, as a table and a figure. timeline: the actions as a figure (PNG). viewer: a page to look around
            in with a browser.
        out: The file to write. By default poses3d.FORMAT, angles.csv, timeline.png or viewer.html beside the
            recording. Files of one person have -personID added to the name.
        names: The names of joints in bvh and glb: Kinelift's, or those of Mixamo for retargeting.
    """
    from kinelift.app.export.formats import Format, check_available, outputs, remarks
    from kinelift.app.export.formats import export as write
    from kinelift.poses.recording import load

    wanted = Format(to)
    check_available([wanted])
    path = out or recording.with_name(wanted.file)
    loaded = load(recording)
    check_outputs(outputs(path, loaded, wanted), [recording], recording.stat().st_size)
    reporter, written = Reporter(), write(path, loaded, wanted, names)
    for one in written:
        reporter.result(str(one))
    for remark in remarks(path, wanted):
        reporter.note(remark)
    return 0


def info(video: VideoFile, *, reading: OmitArgPrefixes[Reading]) -> int:
    """Print a video's size, frame rate, duration and codecs, from its headers.

    Args:
        video: The video file, a folder of pictures, or a pattern of their names.
        reading: Reading of the video.
    """
    lines = Video(video, reading).summary.lines()
    width = max(map(len, lines))
    for name, value in lines.items():
        Reporter().result(f"{name:<{width}}  {value}")
    return 0


def main(arguments: Sequence[str]) -> int | None:
    """Run the command named by the first of ``arguments``."""
    commands: dict[str, Command] = {
        "run": run, "detect": detect, "live": live, "render": render, "export": export, "info": info,
    }  # fmt: skip
    return run_command(commands, "kinelift", "", arguments, DisallowNone)


def _reporter(quiet: bool) -> Reporter:
    return Quiet() if quiet else Reporter()
