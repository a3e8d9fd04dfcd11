"""From 3D poses to actions: motion images, data, training, and the sliding-window classifier."""
