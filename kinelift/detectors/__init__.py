"""Frames to people in 2D: one folder a detector, refinement of joints, and tracking. Nothing in 3D."""
