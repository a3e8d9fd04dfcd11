"""Everything about the terminal that the commands share: what is printed, how options are parsed, how errors end a run."""
