"""Labelled motion: clips with segments, a folder layout that anybody can fill, and readers of known collections."""
