"""The second stage: BlazePose refines the joints of each person a detector finds."""
