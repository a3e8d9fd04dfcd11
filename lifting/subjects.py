"""The subject-disjoint split of the CMU subset that the shipped checkpoints use."""

TEST = ("2", "8", "14", "32", "38")
VALIDATION = ("7", "16", "43")
HELD_OUT = TEST + VALIDATION

COPIES = ("bvh-daz/14/14_12",)
"""Recordings of test subjects that training holds as well, without a subject (bvh-expmap/test_washwindow_1)."""

UNFIT = ("bvh-daz/60/60_salsa_06", "bvh-daz/60/60_salsa_07", "bvh-expmap/test_washwindow_1")
"""Recordings that no network should train on: heads upside down in the source, and the copy of a test recording."""
