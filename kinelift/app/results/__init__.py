"""Folders of results: which one a video gets, who writes to it, and how new results replace earlier ones.

``OUT/NAME/`` holds the results, and ``.source.json`` in it says of which video. While a program works on them,
``OUT/.NAME.part/`` holds a lock, who holds it, the checkpoint of the run, and the results that are not complete yet.
"""

from kinelift.app.results.folder import ResultFolder, claim, file_for, result_name
from kinelift.app.results.source import (
    ACTIONS,
    OVERLAY,
    POSES,
    RECORDING,
    RESULTS,
    TIMELINE,
    VIEWER,
    Source,
    drawn_name,
)

__all__ = [
    "ACTIONS", "OVERLAY", "POSES", "RECORDING", "RESULTS", "TIMELINE", "VIEWER", "ResultFolder", "Source", "claim",
    "drawn_name", "file_for", "result_name",
]  # fmt: skip
