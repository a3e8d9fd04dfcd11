"""Compare keypoint errors on real video with those of ``NoiseSettings``, as JSON and as a table.

    python -m benchmarks.keypoints.keypoint_noise [--video FILE] [--tracks FILE]

The video has no reference, so each detector runs on it several times: as it is, mirrored, and scaled down. The movement
is the same in each reading. The excess of a reading's variation over that of the difference of two is movement or a
common error; this method cannot tell which. The synthetic columns are measured in the same way, on smoothed pieces of
the same movement; they show how well the figures recover the settings of the noise. Errors are fractions of the
person's size, as in ``lifting.synthesis.noise``.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from scipy.ndimage import uniform_filter1d
from scipy.signal import savgol_filter
from torch import Generator

from benchmarks.keypoints.noise_figures import PIECE, TWINS, WITH_FEET, Readings, figures
from benchmarks.keypoints.refinement import inputs_of
from kinelift.app.pipeline import Pipeline
from kinelift.app.settings import Detection
from kinelift.app.video import Video
from kinelift.detectors.protocol import Detector
from kinelift.detectors.tracking import Tracker
from kinelift.lifting.synthesis.noise import MEASURED, MEASURED_HEAVY, MEASURED_NONE, NoiseSettings, corrupt
from kinelift.poses import COCO17, Frame
from kinelift.poses.output import replacing
from kinelift.poses.timeseries import fill_linear
from kinelift.weights.run import Run
from kinelift.weights.store import fetch

DETECTORS: tuple[Literal["full", "heavy", "none"], ...] = ("full", "heavy", "none")
"""Values of ``--refine``, the default first."""
SYNTHETIC = {
    "NoiseSettings()": NoiseSettings(),
    "MEASURED": MEASURED,
    "MEASURED_HEAVY": MEASURED_HEAVY,
    "MEASURED_NONE": MEASURED_NONE,
}
COPIES = 30
"""Samples per piece of movement in the synthetic columns."""
SHORTEST = 2.0
"""Minimum duration of a track, s."""
NEAR = 0.6
"""Limit of the median distance of two readings of one person, as a fraction of their size."""
SMOOTH = 0.5
"""Window, s, of the quadratics that smooth the movement for the synthetic columns."""


@dataclass(frozen=True)
class View:
    """A transformed picture: mirrored, or scaled down (``scale`` ≤ 1) on a black one of the same size."""

    mirrored: bool = False
    scale: float = 1.0

    def show(self, image: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
        """Transform the picture."""
        turned = np.ascontiguousarray(image[:, ::-1] if self.mirrored else image)
        small = cv2.resize(turned, None, fx=self.scale, fy=self.scale, interpolation=cv2.INTER_AREA)
        out = np.zeros_like(image)
        out[: len(small), : small.shape[1]] = small
        return out

    def undo(self, points: Float[np.ndarray, "T J 2"], width: int) -> Float[np.ndarray, "T J 2"]:
        """Map joints in this view back to the original picture, ``width`` px wide."""
        points = points / self.scale
        return points[:, TWINS] * [-1, 1] + [width, 0] if self.mirrored else points


VIEWS = (View(), View(mirrored=True), View(scale=0.75))


@dataclass(frozen=True, eq=False)
class Tracks:
    """The N tracks of a detector in one view over all frames, in px of the video.

    ``points`` are NaN where a joint was not detected; ``filled`` also has the short gaps that the tracker fills.
    """

    points: Float[np.ndarray, "N T J 2"]
    filled: Float[np.ndarray, "N T J 2"]


def main(video: Path | None = None, tracks: Path | None = None) -> None:
    """Measure and print.

    Args:
        video: The video; the sample clip if not given.
        tracks: An npz in which the tracks are cached; refused if it is of another video or other detectors.
    """
    path = video or fetch("sample-clip")
    source, run = Video(path), inputs_of(path, views=[asdict(view) for view in VIEWS], refine=DETECTORS)
    found = kept(tracks, run) if tracks and tracks.exists() else searched(source, tracks, run)
    rate = float(source.summary.mean_rate or Fraction(30))
    warnings.filterwarnings("ignore", "All-NaN|Mean of empty")  # joints that no reading has stay NaN
    people = {name: readings(views, rate) for name, views in found.items()}
    columns = {name: figures(seen) for name, seen in people.items()}
    for k, one in enumerate(people[DETECTORS[0]]):
        columns[f"person {k + 1}"] = figures([one])
    for name, settings in SYNTHETIC.items():
        columns[name] = figures(imagined(people[DETECTORS[0]], settings))
    print(json.dumps(rounded(columns), indent=2))
    print(table(columns))


def searched(video: Video, keep: Path | None, run: Run) -> dict[str, list[Tracks]]:
    """Run each detector on each view."""
    found: dict[str, list[Tracks]] = {
        name: [followed(Pipeline.load(Detection(refine=name)).detector, video, view) for view in VIEWS]
        for name in DETECTORS
    }
    if keep:
        arrays = {
            f"{n}.{k}.{what}": a for n, ts in found.items() for k, t in enumerate(ts) for what, a in vars(t).items()
        }
        with replacing(keep) as part, part.open("wb") as file:
            np.savez(file, run=json.dumps(run.facts()), **arrays)
    return found


def kept(file: Path, run: Run) -> dict[str, list[Tracks]]:
    """Load cached tracks.

    Raises:
        ResumeError: They are of another video or other detectors.
    """
    with np.load(file) as arrays:
        run.check(file, json.loads(str(arrays["run"])) if "run" in arrays else {})
        names = dict.fromkeys(key.split(".")[0] for key in arrays if key != "run")
        return {
            name: [Tracks(arrays[f"{name}.{k}.points"], arrays[f"{name}.{k}.filled"]) for k in range(len(VIEWS))]
            for name in names
        }


def followed(detector: Detector, video: Video, view: View) -> Tracks:
    """Track everybody in ``video``, transformed by ``view``."""
    tracker, times = Tracker(detector.skeleton, (video.width, video.height)), []

    def shown() -> Iterator[Frame]:
        for frame in video.frames():
            times.append(float(frame.time))
            yield Frame(frame.index, frame.time, view.show(frame.image))

    for people in detector.detect(shown()):
        tracker.update(people, times[people.frame])
    everybody = [identity.track.converted(COCO17) for identity in tracker.tracks()]
    points = np.full((2, len(everybody), len(times), len(COCO17), 2), np.nan)
    for k, track in enumerate(everybody):
        span = slice(track.start, track.start + len(track.times))
        seen = np.where(track.filled[..., None], np.nan, track.points)
        points[:, k, span] = view.undo(seen, video.width), view.undo(track.points, video.width)
    return Tracks(*points)


def readings(views: Sequence[Tracks], rate: float) -> list[Readings]:
    """The readings of each person tracked in the first view, over the duration of that track."""
    people = []
    for seen, filled in zip(views[0].points, views[0].filled, strict=True):
        frames = np.flatnonzero(np.isfinite(filled).all(-1).any(-1))
        if len(frames) >= SHORTEST * rate:
            span = slice(frames[0], frames[-1] + 1)
            size = sizes(filled[span], rate)
            others = [nearest(seen[span], view.points[:, span], size) for view in views[1:]]
            points = np.stack([seen[span], *others]) / size[:, None, None]
            people.append(Readings(points, np.isfinite(filled[span]).all(-1), rate))
    return people


def sizes(points: Float[np.ndarray, "T J 2"], rate: float) -> Float[np.ndarray, " T"]:
    """Root mean square distance of joints from their mean, averaged over four seconds around each frame."""
    spread = np.nanmean(np.square(points - np.nanmean(points, axis=1, keepdims=True)).sum(-1), axis=1)
    whole = np.isfinite(points).all(-1).mean(1) > 0.8
    spread = fill_linear(spread, np.arange(len(points)), whole)
    return np.sqrt(uniform_filter1d(spread, round(PIECE * rate), mode="nearest"))


def nearest(
    person: Float[np.ndarray, "T J 2"], others: Float[np.ndarray, "N T J 2"], size: Float[np.ndarray, " T"]
) -> Float[np.ndarray, "T J 2"]:
    """The one of ``others`` that matches ``person`` in each frame; NaN if none does."""
    apart = np.nanmedian(np.linalg.norm(others - person, axis=-1), axis=-1)
    apart = np.where(np.isnan(apart), np.inf, apart)
    best, frames = apart.argmin(0), np.arange(len(person))
    return np.where((apart[best, frames] < NEAR * size)[:, None, None], others[best, frames], np.nan)


def imagined(people: Sequence[Readings], settings: NoiseSettings) -> list[Readings]:
    """Four-second pieces of the smoothed movement, each with three samples of synthetic noise."""
    generator, out = Generator().manual_seed(0), []
    for person in people:
        movement, length = smoothed(person), round(PIECE * person.rate)
        times = torch.arange(min(length, len(movement))) / person.rate
        for start in range(0, max(1, len(movement) - length + 1), length):
            piece = torch.from_numpy(movement[start : start + length][:, WITH_FEET]).float().expand(COPIES, -1, -1, -1)
            inside, flawed = torch.ones(piece.shape[:3], dtype=torch.bool), torch.ones(COPIES, dtype=torch.bool)
            draws = [corrupt(piece, inside, flawed, times, settings, generator) for _ in VIEWS]
            points = np.stack([torch.where(seen[..., None], p, torch.nan).numpy() for p, seen in draws], axis=1)
            points, seen = points[:, :, :, : len(COCO17)], draws[0][1][..., : len(COCO17)]
            out += [Readings(p, s.numpy(), person.rate) for p, s in zip(points, seen, strict=True)]
    return out


def smoothed(person: Readings) -> Float[np.ndarray, "T J 2"]:
    """The median of all readings, smoothed and without gaps."""
    middle = np.nanmedian(person.points, axis=0).reshape(person.points.shape[1], -1)
    whole = [fill_linear(column, np.arange(len(middle)), np.isfinite(column)) for column in middle.T]
    window = round(SMOOTH * person.rate) // 2 * 2 + 1
    return savgol_filter(np.stack(whole, -1), window, 2, axis=0).reshape(person.points.shape[1:])


def rounded(value: Any) -> Any:
    """``value`` with its numbers rounded to three digits."""
    if isinstance(value, Mapping):
        return {key: rounded(one) for key, one in value.items()}
    return float(f"{value:.3g}")


def table(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """A Markdown table with one row per figure."""
    rows = {name: dict(flat(column)) for name, column in columns.items()}
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---:|" * len(rows)]
    for key in next(iter(rows.values())):
        lines.append(f"| {key} | " + " | ".join(f"{row[key]:.3g}" for row in rows.values()) + " |")
    return "\n".join(lines)


def flat(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Flatten nested figures to (name, value)."""
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}: ")
        else:
            yield f"{prefix}{key}", float(value)


if __name__ == "__main__":
    tyro.cli(main)
