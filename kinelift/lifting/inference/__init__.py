"""Applies a trained lifter to whole tracks."""
