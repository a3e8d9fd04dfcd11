"""MoveNet MultiPose, the detector that is used by default."""
