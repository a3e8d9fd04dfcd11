"""Draws recordings: 2D skeletons on the video, and a 3D view."""

from kinelift.app.render.composition import Panel, Renderer

__all__ = ["Panel", "Renderer"]
