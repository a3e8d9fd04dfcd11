"""Time and memory, each beside a baseline of the same run."""
