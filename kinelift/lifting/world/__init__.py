"""Places everybody of a clip in one world: which way is up, where the floor is, and which feet rest on it."""
