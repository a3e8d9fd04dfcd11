"""The commands, as typed functions; what is slow to import waits until a command needs it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import DisallowNone, FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from kinelift.app.detection_flags import DetectionFlags
from kinelift.app.settings import Following, Settings
from kinelift.poses.errors import SettingsError
from kinelift.terminal.parsing import Command, run_command

Layout = Literal["side-by-side", "overlay", "3d"]
File = Annotated[Path | None, arg(metavar="FILE", aliases=["-o"])]
VideoFile = Annotated[Positional[Path], arg(metavar="VIDEO")]
RecordingFile = Annotated[Positional[Path], arg(metavar="RECORDING")]
KEYPOINTS = {"openpose-json": "keypoints", "coco-json": "keypoints.json", "npz": "keypoints.npz"}
"""Where ``detect`` writes to, if nothing else is said."""


def run(
    video: VideoFile,
    more: Annotated[Positional[tuple[Path, ...]], arg(metavar="[VIDEO ...]")] = (),
    *,
    settings: OmitArgPrefixes[Settings],
    detection: DetectionFlags,
    out: Annotated[Path, arg(aliases=["-o"], metavar="FOLDER")] = Path("out"),
    layout: Layout = "side-by-side",
    lifter: Annotated[str, arg(metavar="NAME|PATH")] = "default",
    classifier: Annotated[str, arg(metavar="NAME|PATH")] = "actions",
    device: Literal["auto", "cpu", "cuda"] = "auto",
    quiet: bool = False,
) -> int:
    """Analyse videos: OUT/NAME/ gets overlay.mp4, recording.npz, actions.json, timeline.png and poses3d.csv.

    Args:
        video: The video to analyse.
        more: More videos; one that fails does not stop the rest.
        out: The folder for the results.
        layout: What overlay.mp4 shows: the picture beside the 3D view, or one of them.
        settings: Whom to follow, and what is known of the camera.
        detection: How people are found in the frames.
        lifter: The network from 2D to 3D: a name (kinelift weights list), or the path of a checkpoint
            or of a folder of specialists. ./NAME is a path, too.
        classifier: The network from 3D poses to actions: a name, or the path of a checkpoint
            (kinelift recognition train).
        device: Where the networks run; auto takes a GPU if there is one.
        quiet: Say nothing but errors.
    """
    from kinelift.app import batch
    from kinelift.app.pipeline import Pipeline
    from kinelift.app.spec import PipelineSpec
    from kinelift.terminal.reporter import Quiet, Reporter

    if "keypoints" in detection.options and more:
        raise SettingsError("--keypoints are those of one video. Give the others their own, one run each.")
    reporter = Quiet() if quiet else Reporter()
    jobs = batch.plan((video, *more), out)
    spec = PipelineSpec(detection, lifter, classifier, device, settings)
    failed = batch.run(jobs, partial(Pipeline.open, spec), layout, reporter)
    if failed and more:
        names = ", ".join(str(job.video) for job in failed)
        reporter.error(f"{len(failed)} of {len(jobs)} videos failed: {names}")
    return 1 if failed else 0


def detect(
    video: VideoFile,
    *,
    following: OmitArgPrefixes[Following],
    detection: DetectionFlags,
    to: Literal["openpose-json", "coco-json", "npz"] = "npz",
    out: Annotated[Path | None, arg(metavar="PATH", aliases=["-o"])] = None,
    device: Literal["auto", "cpu", "cuda"] = "auto",
    quiet: bool = False,
) -> int:
    """Find and follow people in a video, and write where their joints are in the picture: no 3D, no drawing.

    Args:
        video: The video to look at.
        following: Whom to follow.
        detection: How people are found in the frames.
        to: openpose-json is a folder with a file for every frame; coco-json a list of results with 17 joints; npz a
            recording without 3D poses, which marks what was interpolated.
        out: The file or folder to write; OUT/NAME/keypoints.npz, .json or keypoints/ if not given.
        device: Where the networks run; auto takes a GPU if there is one.
        quiet: Say nothing but errors.
    """
    from kinelift.app import batch
    from kinelift.app.detection import decided, open_detector
    from kinelift.app.following import follow
    from kinelift.app.spec import made_with, pick_device
    from kinelift.app.video import Video
    from kinelift.poses.keypoints import Format, check, write
    from kinelift.poses.output import make_folder
    from kinelift.terminal.reporter import Quiet, Reporter

    reporter, source = Quiet() if quiet else Reporter(), Video(video)
    path = out or Path("out") / video.stem / KEYPOINTS[to]
    batch.spare(source, path)
    check(path, video.stem, Format(to))
    where = pick_device(device)
    detection = decided(detection, where)
    found = open_detector(detection, where)
    made = made_with({"detection": detection, "device": where, "settings": following}, found.notes)
    make_folder(path.parent)
    with reporter.watching(video.name) as watch:
        recording = follow(source, found.detector, following, made, watch, found.repair)
    write(path, recording, Format(to))
    batch.tell(path, source, recording, reporter)
    return 0


def render(
    recording: RecordingFile,
    video: VideoFile,
    out: File = None,
    layout: Layout = "side-by-side",
    quiet: bool = False,
) -> int:
    """Draw a recording on its video again, without a new analysis.

    Args:
        recording: A recording.npz that run wrote.
        video: The video that it was made from.
        out: The file to write; overlay.mp4 beside the recording if not given.
        layout: What it shows: the picture beside the 3D view, or one of them.
        quiet: Say nothing but errors.
    """
    from kinelift.app import pipeline
    from kinelift.app.batch import OVERLAY, spare
    from kinelift.app.video import Video
    from kinelift.poses.recording import load
    from kinelift.terminal.reporter import Quiet, Reporter

    reporter, source = Quiet() if quiet else Reporter(), Video(video)
    path = out or recording.with_name(OVERLAY)
    spare(source, path)
    with reporter.watching(video.name) as watch:
        pipeline.render(load(recording), source, path, layout, watch)
    reporter.result(str(path))
    return 0


def export(recording: RecordingFile, to: Literal["json", "csv", "npz", "timeline"], out: File = None) -> int:
    """Write a recording for other programs.

    Args:
        recording: A recording.npz that run wrote.
        to: json holds everything; csv has one row a person, frame and joint; npz holds plain arrays for numpy;
            timeline is the figure of the actions.
        out: The file to write; poses3d.json, .csv or .npz, or timeline.png, beside the recording if not given.
    """
    from kinelift.app.export.formats import Format
    from kinelift.app.export.formats import export as write
    from kinelift.poses.recording import load
    from kinelift.terminal.reporter import Reporter

    path = out or recording.with_name(Format(to).file)
    write(path, load(recording), Format(to))
    Reporter().result(str(path))
    return 0


def info(video: VideoFile) -> int:
    """Show what a video file is, without decoding all of it.

    Args:
        video: The video to look at.
    """
    from kinelift.app.video import Video
    from kinelift.terminal.reporter import Reporter

    lines = Video(video).summary.lines()
    width = max(map(len, lines))
    for name, value in lines.items():
        Reporter().result(f"{name:<{width}}  {value}")
    return 0


def main(arguments: Sequence[str]) -> int | None:
    """Run the command that ``arguments`` begin with."""
    commands: dict[str, Command] = {"run": run, "detect": detect, "render": render, "export": export, "info": info}
    return run_command(commands, "kinelift", "", arguments, FlagCreatePairsOff, DisallowNone)
