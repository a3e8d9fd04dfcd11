"""Training of lifters: settings and presets, sources of samples, what is learned from them, and the run."""
