"""Drives a headless Chromium over the pipe of its DevTools protocol: no library and no network port are needed.

    python -m tests.app.viewer.browser out/dance/viewer.html "t=2.9&person=2" picture.png

takes a picture of a page.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from urllib.parse import quote

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
OPTIONS = (
    "--headless=new", "--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--mute-audio",
    "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader", "--autoplay-policy=no-user-gesture-required", "--force-color-profile=srgb",
)  # fmt: skip
PATIENCE = 180.0
"""Seconds to wait for something on a busy machine."""
_LAUNCHER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
"""Starts Chromium, which reads commands from descriptor 3 and writes answers to 4."""


def program() -> str | None:
    """The Chromium or Chrome of this machine: $CHROMIUM, or one on the path."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A browser with one page.

    Attributes:
        problems: Errors and warnings of the page: exceptions, console messages, and what its policy forbade.
        requests: The URLs that it has asked for.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, os.fdopen(answers, "rb")
        self._number, self._session = 0, ""
        self.problems: list[str] = []
        self.requests: list[str] = []

    def open_page(self, width: int, height: int) -> None:
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before it are noted."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        result: dict[str, Any] = answer["result"]
        return result

    def visit(self, page: Path, fragment: str = "") -> None:
        """Open a page from its file, and wait until it says that it is ready."""
        self.send("Page.navigate", url="about:blank")  # or another fragment of the same page would not load it again
        self.send("Page.navigate", url=f"{page.absolute().as_uri()}#{quote(fragment, safe='=&')}")
        self.wait("document.documentElement?.dataset.ready !== undefined")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        done = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise RuntimeError(f"{expression}: {done['exceptionDetails'].get('exception', {}).get('description')}")
        return done["result"].get("value")

    def wait(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        self.until(lambda: bool(self.evaluate(condition)), f"{condition} is still false")

    def until(self, met: Callable[[], bool], problem: str) -> None:
        limit = monotonic() + PATIENCE
        while not met():
            assert monotonic() < limit, f"{problem}; the page says: {self.problems}"
            sleep(0.05)

    def choose_file(self, selector: str, file: Path) -> None:
        """Give a file to an input element."""
        node = self.send("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")["result"]
        self.send("DOM.setFileInputFiles", files=[str(file)], objectId=node["objectId"])

    def text(self, selector: str) -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        self.drag(selector, (0.5, 0.5), (0.5, 0.5))

    def drag(self, selector: str, start: tuple[float, float], stop: tuple[float, float]) -> None:
        """Press the mouse in an element, move it and let go; places are shares of the element's width and height."""
        box = self.evaluate(
            f"(({{left, top, width, height}}) => [left, top, width, height])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        places = [(box[0] + x * box[2], box[1] + y * box[3]) for x, y in (start, stop)]
        for kind, (x, y) in zip(("mousePressed", "mouseMoved", "mouseReleased"), (*places, places[1]), strict=False):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key, as the user would."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        event = {"key": key, "code": key, "modifiers": 8 if shift else 0, "text": text}
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "Enter": 13,
                 "Escape": 27, " ": 32, "Home": 36, "End": 35}  # fmt: skip
        if key in codes:
            event["windowsVirtualKeyCode"] = codes[key]
        self.send("Input.dispatchKeyEvent", type="keyDown", **event)
        self.send("Input.dispatchKeyEvent", type="keyUp", **{**event, "text": ""})

    def screenshot(self) -> bytes:
        """The page as a PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])

    def _receive(self) -> dict[str, Any]:
        content = bytearray()
        while (byte := self._answers.read(1)) not in (b"\0", b""):
            content += byte
        if not content:
            raise RuntimeError("Chromium has ended.")
        answer: dict[str, Any] = json.loads(content)
        return answer

    def _note(self, event: dict[str, Any]) -> None:
        method, facts = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning", "assert"):
            self.problems.append(" ".join(str(one.get("value", one.get("description"))) for one in facts["args"]))
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.problems.append(f"{facts['entry']['text']} {facts['entry'].get('url', '')[:200]}")
        elif method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])


@contextmanager
def browser(profile: Path, width: int = 1280, height: int = 720) -> Iterator[Browser]:
    """A browser with an empty page of this size, ended at the end."""
    name = program()
    assert name is not None, "check program() first"
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    high = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (from_us, to_us)]  # not among those that the launcher sets
    options = [*OPTIONS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    process = subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER, *map(str, high), name, *options, "about:blank"],
        pass_fds=high, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    for one in (from_us, to_us, *high):
        os.close(one)
    opened = Browser(to_browser, from_browser)
    try:
        opened.open_page(width, height)
        yield opened
        opened._session = ""
        opened.send("Browser.close")
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def take_picture(page: Path, fragment: str, out: Path) -> None:
    """Write a PNG of a page as it looks at a fragment of its address."""
    with tempfile.TemporaryDirectory() as profile, browser(Path(profile)) as opened:
        opened.visit(page, fragment)
        opened.wait("!document.querySelector('video').seeking")
        opened.evaluate("new Promise((done) => setTimeout(done, 500))")  # the video's picture follows a moment later
        out.write_bytes(opened.screenshot())


if __name__ == "__main__":
    take_picture(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
