"""Benchmarks of speed and accuracy. Every script prints JSON, with a baseline measured in the same run."""
