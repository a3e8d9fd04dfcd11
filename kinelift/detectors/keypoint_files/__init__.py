"""Keypoints of another program in place of a detector."""
