"""``viewer.html``: a recording, the code that shows it and three.js, in one file without any address of the network.

The template's modules import each other by the names of an import map, whose addresses are ``data:`` URLs, because
browsers do not load modules from beside a page that was opened as a file. A content security policy with the hashes of
its two scripts forbids everything else: what a name or label contains cannot run, and nothing can be sent anywhere.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from os import fsencode
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from kinelift.app.viewer.clip_data import ActionColour, clip_data
from kinelift.poses import Recording
from kinelift.poses.output import replacing
from kinelift.terminal.reporter import visible
from kinelift.weights.store import locate

ASSETS = Path(__file__).with_name("assets")
LIBRARIES = {"three": "three", "three/orbit-controls": "three-orbit-controls"}
"""The registered files of the libraries, by the names that modules import them under."""
_ENTRY = 'import "viewer/main";'


@dataclass(frozen=True)
class LinkedFile:
    """A file that a page refers to.

    Args:
        path: Its path from the page's folder, with "/" between names.
        about: What it holds, in a few words.
    """

    path: str
    about: str

    def to_json(self) -> dict[str, str]:
        """For the page: the path as a relative URL, which no character of it can turn into another kind of URL."""
        return {"url": quote(fsencode(self.path)), "name": visible(Path(self.path).name), "about": self.about}


def write_page(
    path: Path,
    recording: Recording,
    colour_of: ActionColour,
    videos: Iterable[LinkedFile] = (),
    files: Iterable[LinkedFile] = (),
) -> None:
    """Write the page of a recording, in one move.

    Args:
        path: The page.
        recording: What it shows.
        colour_of: The colours of actions.
        videos: Videos of the same frames. The page plays the first that the browser can.
        files: Files to offer for download.

    Raises:
        OutputError: The file cannot be written.
        WeightsError: A shipped library is missing or damaged.
    """
    page = _page(recording, colour_of, tuple(videos), tuple(files))
    with replacing(path) as part:
        part.write_text(page, encoding="utf-8")


def _page(
    recording: Recording, colour_of: ActionColour, videos: tuple[LinkedFile, ...], files: tuple[LinkedFile, ...]
) -> str:
    data = clip_data(recording, colour_of)
    links = {"videos": [video.to_json() for video in videos], "files": [file.to_json() for file in files]}
    style, imports = (ASSETS / "viewer.css").read_text(encoding="utf-8"), _script_json({"imports": dict(_imports())})
    return Template((ASSETS / "viewer.html").read_text(encoding="utf-8")).substitute(
        title=escape(visible(recording.video.name)),
        policy=_policy(scripts=(imports, _ENTRY), style=style),
        style=style,
        imports=imports,
        entry=_ENTRY,
        clip=_script_json({**data.header, **links}),
        arrays=data.packed,
    )


def _imports() -> Iterator[tuple[str, str]]:
    """The modules of the page and their libraries: the names they are imported under, and ``data:`` URLs."""
    for name, registered in LIBRARIES.items():
        yield name, _data_url(locate(registered).read_bytes())
    for path in sorted(ASSETS.glob("*.js")):
        named = f"//# sourceURL=viewer/{path.name}\n"  # for the browser's console
        yield f"viewer/{path.stem}", _data_url(path.read_bytes() + named.encode())


def _data_url(script: bytes) -> str:
    return f"data:text/javascript;base64,{b64encode(script).decode('ascii')}"


def _script_json(value: Mapping[str, Any]) -> str:
    """JSON in ASCII that can stand in a script element, because it has no ``<``."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _policy(scripts: Iterable[str], style: str) -> str:
    """A content security policy that allows these inline scripts and style, the modules, and videos beside the page."""
    allowed = " ".join(_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {allowed} data:; style-src {_hash(style)}; "
        "media-src 'self' file: blob:; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
