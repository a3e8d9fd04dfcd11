"""Training losses: named terms between predicted and true poses of consecutive frames, in metres."""
