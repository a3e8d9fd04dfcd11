"""Recorded data sets: readers of their files, their cameras, and training batches."""
