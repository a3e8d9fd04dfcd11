"""Training of lifters: settings and presets, sample sources, losses per batch, and the training loop."""
