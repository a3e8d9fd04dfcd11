"""Motion capture: files of several formats and bone layouts to the joints that training uses."""
