"""Shared by all commands: output, parsing of options, and the error boundary."""
