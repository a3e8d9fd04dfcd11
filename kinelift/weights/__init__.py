"""Weights as files: registry, store and the self-describing checkpoint. No network construction."""
