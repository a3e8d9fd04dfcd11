"""Pages of the skeletons, the export formats and the registered weights."""

import re
from collections.abc import Callable, Mapping
from inspect import getdoc

from kinelift.app.export import data_files, formats
from kinelift.poses.skeleton import registered
from kinelift.weights.registry import entries


def pages() -> Mapping[str, str]:
    """The pages by name, from the top of ``docs/reference``."""
    return {"skeletons.md": _skeletons(), "exports.md": _exports(), "weights.md": _weights()}


def _skeletons() -> str:
    lines = ["# Skeletons", "", "The joint layouts that Kinelift knows, with their joints in order of storage."]
    lines += ["A layout is always named, never guessed from its number of joints."]
    for skeleton in registered():
        joints = ", ".join(f"{number} {joint}" for number, joint in enumerate(skeleton.joints))
        lines += ["", f"## {skeleton.name}", "", f"{len(skeleton)} joints: {joints}."]
    return "\n".join(lines)


def _exports() -> str:
    lines = ["# Export formats", "", "What `kinelift export RECORDING --to FORMAT` writes."]
    for to in formats.Format:
        about = _about(formats.WRITERS[to])
        lines += ["", f"## {to.value}", "", f"Usual name: `{to.file}`.", "", about]
    lines += ["", "## Columns of the csv", "", ", ".join(f"`{column}`" for column in data_files.COLUMNS) + "."]
    return "\n".join(lines)


def _about(writer: Callable[..., None]) -> str:
    """The docstring of ``writer``, without its arguments and errors."""
    text = re.split(r"\n+(?:Args|Raises):", getdoc(writer) or "")[0]
    return re.sub(r"\s*Raises ``\w+``\.", "", text).replace("``", "`")


def _weights() -> str:
    lines = ["# Weights", "", "What `kinelift weights list` knows. Each has a model card.", ""]
    lines += ["| name | what it is | licence | MB |", "|---|---|---|---:|"]
    for entry in entries():
        card = f"[{entry.name}](../../kinelift/weights/cards/{entry.name}.md)"
        lines.append(f"| {card} | {entry.summary} | {entry.licence} | {entry.size / 1e6:.1f} |")
    return "\n".join(lines)
