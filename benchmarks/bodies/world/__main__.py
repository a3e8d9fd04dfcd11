"""Measure how well people stand in the world: up, feet, floor, stillness, a jump, lean and time; prints JSON.

    python -m benchmarks.bodies.world [--parts up feet still floor jump lean time] [--clips FOLDER] [--cache FOLDER]
        [--pictures FOLDER] [--tables FILE.md]

Clips: the calibrated ones (``single``, ``multi``), the sample clip, and ``01_tfjs_squats.mp4`` and
``02_tfjs_pose1.mp4`` of ``--clips``. Labels by eye are in ``labels/``. Where a recording has no world, the figures are
of the scene that the program draws, and where it has no heels and toes, of ankles.

``up``: degrees between estimated and true up; the truth is the calibration's Z axis (± 1°). ``feet``: heels and toes
that rest on something, by person and view: speed in mm/s, median and 95th percentile; ``slide``: distance from the
mean place of a span, mm; ``found`` and ``false``: shares of labelled contacts found, and of frames in the air taken for
contacts. ``still``: drift over a span of somebody who stands still, of the root and of the worst of heels and toes, mm.
``floor``: heights of planted heels and toes over the world's floor by surface, mm. ``jump``: frames in the air by eye
and in 3D, and g from the path in the air. ``lean``: upright bodies under cameras 2 and 3 m high; degrees from
hip-thorax to the true vertical (``trunk``) and to the estimated one (``shown``), and between these two (``up``).
``time``: ms of processor time per frame and person of everything after the detector, on one thread.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
import tyro

from benchmarks.bodies.body_angles import lean
from benchmarks.bodies.standing import bodies
from benchmarks.bodies.still_views import StillView
from benchmarks.bodies.world import figures, labels
from benchmarks.bodies.world.clips import Clip, Recorder, calibrated_clips, plain_clips, record
from benchmarks.bodies.world.scene import Actor, scene
from benchmarks.bodies.world.synthetic import Motion, Reel, film, standing, walking
from benchmarks.bodies.world.view import draw
from benchmarks.reporting import Column, machine, table
from kinelift.app.pipeline import Pipeline
from kinelift.app.video import Video
from kinelift.detectors.scripted import Scripted
from kinelift.poses import Recording
from kinelift.poses.output import replacing

Part: TypeAlias = Literal["up", "feet", "still", "floor", "jump", "lean", "time"]
PARTS: tuple[Part, ...] = ("up", "feet", "still", "floor", "jump", "lean", "time")
HEIGHTS = (2.0, 3.0)
"""Heights of the cameras over upright bodies, m."""
HEADINGS = {"standing": (0, 90, 180, 270), "walking": (60, 90, 240, 270)}
SECONDS = {"standing": 1.0, "walking": 3.0}
Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, Row]


def main(
    parts: tuple[Part, ...] = PARTS,
    clips: Path | None = None,
    cache: Path | None = None,
    pictures: Path | None = None,
    tables: Path | None = None,
    lifter: str = "default",
    drawn: int = 0,
    seed: int = 0,
) -> None:
    """Measure and print.

    Args:
        parts: What to measure.
        clips: Folder with more clips.
        cache: Folder in which the detector's answers are kept.
        pictures: Folder for pictures of the people from the side.
        tables: Markdown file for the same figures.
        lifter: Name of a lifter, or path of its checkpoint.
        drawn: Number of upright adults sampled from the survey, in addition to the named bodies.
        seed: Seed of the sampled adults.
    """
    pipeline = Pipeline.load(lifter=lifter, device="cpu")
    found: dict[str, Rows] = {}
    if set(parts) - {"lean", "time"}:
        found |= filmed(pipeline, parts, clips, cache, pictures)
    if "lean" in parts:
        found["lean"] = upright(pipeline, drawn, seed, pictures)
    if "time" in parts:
        found["time"] = {"sample": spent(pipeline)}
    if tables is not None:
        with replacing(tables) as part:
            part.write_text("\n\n".join(markdown(name, rows) for name, rows in found.items()) + "\n")
    print(json.dumps({"machine": machine(), "lifter": lifter, "seed": seed, **found}, indent=2))


def filmed(
    pipeline: Pipeline, parts: Sequence[Part], more: Path | None, cache: Path | None, pictures: Path | None
) -> dict[str, Rows]:
    """The figures of the real clips that need labels or calibration."""
    found: dict[str, Rows] = {part: {} for part in ("up", "feet", "still", "floor", "jump") if part in parts}
    with TemporaryDirectory() as folder:
        for clip in (*calibrated_clips(Path(folder)), *plain_clips(more)):
            recording = record(pipeline, clip, cache)
            for part, rows in judged(clip, recording).items():
                if part in found:
                    found[part] |= rows
            if pictures is not None:
                draw(scene(recording), clip.name, pictures)
    return found


def judged(clip: Clip, recording: Recording) -> dict[str, Rows]:
    """All figures of one clip, by part and by person or span."""
    shown = scene(recording)
    named = {
        person: actor
        for person, k in labels.identify(recording, clip.name).items()
        if (actor := shown.actors[k]) is not None
    }
    spans = labels.contacts(clip.labels)
    return {
        "up": {clip.name: {"degrees": figures.tilt(shown.up, clip.up)}} if clip.up is not None else {},
        "feet": dict(_feet(clip, named, spans)),
        "still": dict(_still(clip, named)),
        "floor": dict(_floor(clip, named, spans)),
        "jump": {
            f"{clip.name} {jump.person}": figures.flight(named[jump.person], jump)
            for jump in labels.jumps(clip.name)
            if jump.person in named
        },
    }


def _feet(clip: Clip, named: Mapping[str, Actor], spans: Sequence[labels.Span]) -> Iterator[tuple[str, Row]]:
    for person, actor in named.items():
        own = [span for span in spans if span.person == person]
        if own:
            yield f"{clip.name} {person}", {
                **figures.planted(actor, own), **figures.contact_shares([figures.touched(actor, own)])
            }  # fmt: skip


def _still(clip: Clip, named: Mapping[str, Actor]) -> Iterator[tuple[str, Row]]:
    for span in labels.still(clip.name):
        if span.person in named:
            actor = named[span.person]
            rows = actor.rows(span.first, span.last)
            feet = [actor.joints[rows, actor.part(foot, part)] for foot, part in _planted(clip, span)]
            times = actor.times[rows]
            yield f"{clip.name} {span.person} {span.first}-{span.last}", {
                "seconds": round(float(times[-1] - times[0]), 2),
                "root": figures.drift(actor.joints[rows, actor.skeleton.root], times),
                "feet": max((figures.drift(path, times) for path in feet), default=None),
            }  # fmt: skip


def _planted(clip: Clip, still: labels.Still) -> list[tuple[str, str]]:
    """Heels and toes that rest on something through a span; both feet of somebody without labels."""
    own = [span for span in labels.contacts(clip.labels) if span.person == still.person]
    if not own:
        return [(foot, part) for foot in ("left", "right") for part in ("heel", "toe")]
    return [
        (span.foot, span.part)
        for span in own
        if span.state == "contact" and span.first - 5 <= still.first and still.last <= span.last + 10
    ]


def _floor(clip: Clip, named: Mapping[str, Actor], spans: Sequence[labels.Span]) -> Iterator[tuple[str, Row]]:
    for person, actor in named.items():
        for surface, some in figures.heights(actor, [span for span in spans if span.person == person]).items():
            yield f"{clip.name} {person} on the {surface}", figures.level(some)


def upright(pipeline: Pipeline, drawn: int, seed: int, pictures: Path | None) -> Rows:
    """The figures of upright bodies, by motion and height of the camera."""
    people = bodies(drawn, seed)
    motions = {
        "standing": [standing(lengths, SECONDS["standing"]) for lengths in people.values()],
        "walking": [walking(lengths, SECONDS["walking"]) for lengths in people.values()],
    }
    rows: Rows = {}
    for name, some in motions.items():
        for height in HEIGHTS:
            each = [
                stood(pipeline, motion, StillView(heading, height), pictures, f"{name} {k} {height:g} m {heading}")
                for k, motion in enumerate(some)
                for heading in HEADINGS[name]
            ]
            keys = dict.fromkeys(key for row in each for key in row)
            rows[f"{name}, {height:g} m"] = {key: figures.middle(each, key) for key in keys} | {
                f"worst {key}": max(row[key] for row in each) for key in ("trunk", "shown", "up")
            }
    return rows


def stood(pipeline: Pipeline, motion: Motion, view: StillView, pictures: Path | None, name: str) -> Row:
    """The figures of one upright body in one view."""
    recording, up = film(pipeline, motion, view)
    shown = scene(recording)
    who, actor = max(
        ((person, actor) for person, actor in zip(recording.people, shown.actors, strict=True) if actor is not None),
        key=lambda pair: len(pair[0].track),
    )
    if pictures is not None:
        draw(shown, name, pictures)
    assert who.poses is not None
    spans = motion.spans()
    return {
        "trunk": round(float(np.nanmedian(lean(who.poses.points, up, who.poses.skeleton))), 1),
        "shown": figures.lean(actor), "up": figures.tilt(shown.up, up),
        **figures.planted(actor, spans), **figures.contact_shares([figures.touched(actor, spans)]),
    }  # fmt: skip


def spent(pipeline: Pipeline) -> Row:
    """Processor time of everything after the detector on the sample clip, without decoding the video."""
    clip = next(plain_clips(None))
    recorder = Recorder(pipeline.detector, [])
    recording = replace(pipeline, detector=recorder).run(Video(clip.video))
    script = Scripted(recorder.found, recorder.skeleton)
    times = [Fraction(float(time)).limit_denominator(10**6) for time in recording.video.times]
    program, reel = replace(pipeline, detector=script), Reel((recording.video.width, recording.video.height), times)
    program.run(reel)
    before = time.process_time()
    program.run(reel)
    used = time.process_time() - before
    frames = sum(len(person.track) for person in recording.people)
    return {"ms": round(1e3 * used / frames, 2), "frames": frames}


def markdown(part: str, rows: Rows) -> str:
    """One part as a Markdown table."""
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    full = {name: {key: row.get(key) for key in keys} for name, row in rows.items()}
    return table(part, full, {key: Column(key) for key in keys})


if __name__ == "__main__":
    torch.set_num_threads(1)
    tyro.cli(main)
