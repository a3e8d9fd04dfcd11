"""Speed and accuracy, measured: every script prints JSON with a baseline from the same run."""
