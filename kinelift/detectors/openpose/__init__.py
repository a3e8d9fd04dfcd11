"""OpenPose-style networks: part heat maps and part affinity fields, grouped into people."""
