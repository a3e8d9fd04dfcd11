"""From 3D poses to actions: SPMF encoding, data, training and the sliding-window classifier."""
