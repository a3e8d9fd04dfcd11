"""Training samples from motion capture, with random bodies, cameras and detector errors."""
