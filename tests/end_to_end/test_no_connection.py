"""The real program makes no connection while it analyses a video."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kinelift.poses.errors import WeightsError
from kinelift.weights.store import locate
from tests.clips import steady, write_clip

RUN = """
import sys
from kinelift.__main__ import main

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print("CONNECTION", event, arguments, file=sys.stderr, flush=True)

sys.addaudithook(refuse)
sys.exit(main())
"""


def test_a_run_connects_to_nothing(tmp_path: Path) -> None:
    try:
        locate("movenet-multipose")
        locate("blazepose-full")
    except WeightsError as error:
        pytest.skip(f"needs the detectors' weights: {error}")
    clip = write_clip(tmp_path / "clip.mp4", steady(12))
    proxy = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    command = [sys.executable, "-c", RUN, "run", str(clip), "-o", str(tmp_path / "out"), "--detector", "movenet"]
    done = subprocess.run(command, env=os.environ | proxy, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "CONNECTION" not in done.stderr
    assert (tmp_path / "out/clip/recording.npz").is_file()


def test_the_watch_sees_a_connection() -> None:
    program = RUN.replace("from kinelift.__main__ import main", "main = lambda: None").replace(
        "sys.exit(main())", "import socket\nsocket.socket().connect_ex(('127.0.0.1', 9))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert "CONNECTION socket.connect" in done.stderr
