"""Benchmarks of 3D poses against calibrated cameras and synthetic bodies."""
