"""2D keypoints: their noise, their reach, and how far detectors agree."""
