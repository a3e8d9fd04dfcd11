"""From a 2D track to 3D poses: coordinates, inference, data, losses, metrics and training."""
