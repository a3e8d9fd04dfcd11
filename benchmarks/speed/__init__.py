"""Benchmarks of time and memory, each with a baseline from the same run."""
