"""A local web server of one file, as good or bad as a test wants it."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(eq=False)
class Web:
    """A server of one file. ``answer`` writes the part of it from a byte on; ``asked`` and ``paths`` note
    the Range and path of each request."""

    address: str = ""
    content: bytes = b""
    ranges: bool = True
    announced: bool = True
    asked: list[str | None] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answer: Callable[["Web", BaseHTTPRequestHandler, bytes], None] = lambda web, reply, part: whole(reply, part)

    def reply(self, reply: BaseHTTPRequestHandler) -> None:
        asked = reply.headers.get("Range")
        self.asked.append(asked)
        self.paths.append(reply.path)
        start = int(re.match(r"bytes=(\d+)-$", asked)[1]) if asked and self.ranges else 0
        if start and start >= len(self.content):
            reply.send_error(416)
            return
        reply.send_response(206 if start else 200)
        if start:
            reply.send_header("Content-Range", f"bytes {start}-{len(self.content) - 1}/{len(self.content)}")
        if self.announced:
            reply.send_header("Content-Length", str(len(self.content) - start))
        reply.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has heard enough
            self.answer(self, reply, self.content[start:])


def whole(reply: BaseHTTPRequestHandler, part: bytes) -> None:
    reply.wfile.write(part)


def cut_after(count: int) -> Callable[[Web, BaseHTTPRequestHandler, bytes], None]:
    return lambda web, reply, part: whole(reply, part[:count])


@contextmanager
def serving(content: bytes) -> Iterator[Web]:
    """Run the server."""
    web = Web(content=content)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.reply(self)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        web.address = f"http://127.0.0.1:{running.server_port}/x"
        yield web
        running.shutdown()
