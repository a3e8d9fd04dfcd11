"""The camera of a video: calibration files, and the rotation of a camera that moves."""
