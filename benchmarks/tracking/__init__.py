"""Benchmarks of identities over time, and of track repair."""
