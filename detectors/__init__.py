"""From frames to people in 2D, and from people in single frames to identities over time."""
