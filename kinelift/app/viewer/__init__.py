"""Writes ``viewer.html``: a page to look around in a recording, which needs nothing but a browser."""

from kinelift.app.viewer.page import LinkedFile, write_page

__all__ = ["LinkedFile", "write_page"]
