"""Frames to people in 2D: one adapter a file, and identity over time. Nothing in 3D."""
