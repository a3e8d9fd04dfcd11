"""Benchmarks of 2D keypoints: their errors, the range of sizes and rotations, and detectors' agreement."""
