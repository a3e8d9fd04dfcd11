"""Training samples out of motion capture: bodies, cameras and the mistakes of a detector, drawn at random."""
