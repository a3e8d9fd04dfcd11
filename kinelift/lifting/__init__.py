"""2D tracks to 3D poses: coordinates, inference, data, losses, metrics and training."""
