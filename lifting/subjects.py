"""The subject-disjoint split of the CMU subset that the shipped checkpoints use."""

TEST = ("2", "8", "14", "32", "38")
VALIDATION = ("7", "16", "43")
HELD_OUT = TEST + VALIDATION

COPIES = ("bvh-daz/14/14_12",)
"""Recordings of test subjects that training holds as well, without a subject (bvh-expmap/test_washwindow_1)."""
