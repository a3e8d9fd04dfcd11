"""What ``import kinelift`` offers besides classes: a video analysed in one call, and recordings from files."""

from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from kinelift.app import batch
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection, Settings
from kinelift.app.spec import PipelineSpec
from kinelift.app.video import Video
from kinelift.poses import Recording, recording
from kinelift.terminal.progress import Watch, unwatched


def run(
    video: str | Path,
    out: str | Path | None = None,
    *,
    layout: Literal["side-by-side", "overlay", "3d"] = "side-by-side",
    lifter: str | Path = "default",
    classifier: str | Path = "actions",
    device: Literal["auto", "cpu", "cuda"] = "auto",
    watch: Watch = unwatched,
    **options: Any,
) -> Recording:
    """Analyse a video as ``kinelift run`` does, and return what was found.

    Args:
        video: The video file.
        out: Where the command's files go: OUT/NAME/overlay.mp4 and the others. Without it nothing is written.
        layout: What overlay.mp4 shows: the picture beside the 3D view, or one of them.
        lifter: The network from 2D to 3D: a registered name, or the path of a checkpoint or of a folder of specialists.
        classifier: The network from 3D poses to actions: a registered name, or the path of a checkpoint.
        device: Where the networks run; auto takes a GPU if there is one.
        watch: Shows progress: items pass through it.
        options: The command's other options, with underscores: ``people="main"``, ``fov=60``, ``stride=2``.

    Raises:
        KineliftError: For a video, weights or options that cannot be used, with what to do about it.
        TypeError: For an option that does not exist.
    """
    settings = Settings(**_taken(options, Settings))
    detection = Detection(**_taken(options, Detection))
    if options:
        raise TypeError(f"run() has no option {', '.join(options)}. See: kinelift run --help")
    source = Video(video)
    pipeline = Pipeline.open(PipelineSpec(detection, str(lifter), str(classifier), device, settings))
    if out is None:
        return pipeline.run(source, watch)
    (job,) = batch.plan([source.path], Path(out))
    return batch.analyse(job, source, pipeline, layout, watch)


def load(path: str | Path) -> Recording:
    """Read a recording.npz that ``kinelift run`` or ``kinelift detect`` wrote.

    Raises:
        DataError: For a file that is missing, damaged or something else.
    """
    return recording.load(Path(path))


def _taken(options: dict[str, Any], settings: type) -> dict[str, Any]:
    """Those of ``options`` that are fields of ``settings``, removed from them."""
    return {field.name: options.pop(field.name) for field in fields(settings) if field.name in options}
