"""Motion capture: reads files of several formats and bone layouts, and prepares them for training."""
