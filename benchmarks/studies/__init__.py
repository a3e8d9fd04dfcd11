"""Comparisons of methods, which take minutes to hours."""
