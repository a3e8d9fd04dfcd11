"""Motion capture: files of several formats and bone layouts to the 22 joints that training uses."""
