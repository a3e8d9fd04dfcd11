"""Who learns and who is measured: splits by subject."""

TEST = ("2", "8", "14", "32", "38")
"""Of the CMU subset, for the shipped checkpoints."""
VALIDATION = ("7", "16", "43")
HELD_OUT = TEST + VALIDATION

COPIES = ("bvh-daz/14/14_12",)
"""Recordings of test subjects that training holds as well, without a subject (bvh-expmap/test_washwindow_1)."""

UNFIT = ("bvh-daz/60/60_salsa_06", "bvh-daz/60/60_salsa_07", "bvh-expmap/test_washwindow_1")
"""Recordings that no network should train on: heads upside down in the source, and the copy of a test recording."""

PUBLISHED_TEST = ("S9", "S11", "TS1", "TS2", "TS3", "TS4", "TS5", "TS6")
"""Test subjects of Human3.6M and MPI-INF-3DHP."""


def tests(subject: str) -> bool:
    """Whether published protocols test on this subject: those of HumanEva-I say so in their names."""
    return subject in PUBLISHED_TEST or subject.startswith("Validate/")
