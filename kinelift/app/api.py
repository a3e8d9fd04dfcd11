"""The functions of ``import kinelift``: analyse a video in one call, and load a recording."""

import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

from kinelift.app import batch
from kinelift.app.export.formats import Format, check_available
from kinelift.app.pipeline import Pipeline
from kinelift.app.results import claim
from kinelift.app.settings import Detection, Drawing, Layout, Settings
from kinelift.app.spec import PipelineSpec
from kinelift.app.video import Reading, Video
from kinelift.poses import Recording, recording
from kinelift.terminal.progress import Progress, no_progress


def run(
    video: str | Path,
    out: str | Path | None = None,
    *,
    layout: Layout = "side-by-side",
    lifter: str | Path = "default",
    classifier: str | Path = "actions",
    export: str = "",
    device: str = "auto",
    restart: bool = False,
    progress: Progress = no_progress,
    **options: Any,
) -> Recording:
    """Analyse a video as ``kinelift run`` does.

    Args:
        video: The video file, a folder of pictures, or a pattern of their names.
        out: The folder for the results: OUT/NAME/overlay.mp4 and the others, or OUT/NAME-2/… if OUT/NAME/ holds those
            of another video. Without it, nothing is written.
        layout: What overlay.mp4 shows: the video, the 3D view, or both side by side.
        lifter: The 2D-to-3D network: a registered name, or the path to a checkpoint or to a folder of specialists.
        classifier: The action classifier: a registered name, or the path to a checkpoint.
        export: Formats to write as well, separated by commas, such as "bvh,glb".
        device: Where the networks run: "auto" (a GPU if there is one), "cpu", "cuda", or one GPU, such as "cuda:1".
        restart: Start again, instead of continuing an earlier run that was interrupted.
        progress: Wraps the items of each stage and shows progress.
        options: The other options of the command, with underscores: ``people="main"``, ``fov=60``, ``stride=2``.

    Returns:
        The people in the video, with their tracks, 3D poses and actions.

    Raises:
        KineliftError: The video, the weights or an option cannot be used. The message says what to do.
        TypeError: There is no such option.
    """
    settings, detection, reading, drawing = _grouped(options, layout)
    exports = Format.parse(export)
    check_available(exports)
    source = Video(video, reading)
    spec = PipelineSpec(detection, str(lifter), str(classifier), device, settings)
    pipeline = Pipeline.open(spec)
    if out is None:
        return pipeline.run(source, progress)
    with claim(source.path, Path(out)) as folder:
        if folder.note:
            _warn(folder.note)
        if restart:
            folder.forget_checkpoint()
        return batch.analyse(folder, source, pipeline, drawing, progress, spec.paths(), _warn, exports)


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=3)


def load(path: str | Path) -> Recording:
    """Read a recording written by ``kinelift run`` or ``kinelift detect``.

    Raises:
        DataError: The file is missing, damaged or not a recording.
    """
    return recording.load(Path(path))


def _grouped(options: dict[str, Any], layout: Layout) -> tuple[Settings, Detection, Reading, Drawing]:
    """The options of ``run``, each in the group that has it.

    Raises:
        SettingsError: A value is out of range, or conflicts with another.
        TypeError: There is no such option.
    """
    settings = Settings(**_pop_fields(options, Settings))
    detection = Detection(**_pop_fields(options, Detection))
    reading = Reading(**_pop_fields(options, Reading))
    drawing = Drawing(layout, **_pop_fields(options, Drawing))
    if options:
        raise TypeError(f"run() has no option {', '.join(options)}. See: kinelift run --help")
    return settings, detection, reading, drawing


def _pop_fields(options: dict[str, Any], settings: type) -> dict[str, Any]:
    """Remove and return the options that are fields of ``settings``."""
    return {field.name: options.pop(field.name) for field in fields(settings) if field.name in options}
