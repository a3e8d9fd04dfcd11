"""What all commands share: how they print, how options are parsed, how a run ends."""
