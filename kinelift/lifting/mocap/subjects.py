"""Who learns and who is measured: splits by subject."""

TEST = ("2", "8", "14", "32", "38")
"""Of the CMU subset, for the shipped checkpoints."""
VALIDATION = ("7", "16", "43")
HELD_OUT = TEST + VALIDATION

GUESTS = ("hdm05", "sfu")
"""Data sets that the shipped lifters do not learn from: their subjects' names begin so."""

UNFIT = {
    "60_salsa_06": "the head is upside down",
    "60_salsa_07": "the head is upside down",
    "test_washwindow_1": "a copy of a recording of test subject 14, without a subject",
}
"""Recordings that nobody should learn from or be measured on, by the name of their file, and why."""

PUBLISHED_TEST = ("S9", "S11", "TS1", "TS2", "TS3", "TS4", "TS5", "TS6")
"""Test subjects of Human3.6M and MPI-INF-3DHP."""


def tests(subject: str) -> bool:
    """Whether published protocols test on this subject: those of HumanEva-I say so in their names."""
    return subject in PUBLISHED_TEST or subject.startswith("Validate/")
