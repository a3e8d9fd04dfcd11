"""Labelled motion: clips with segments, the folder layout that training reads, and readers of public data sets."""
