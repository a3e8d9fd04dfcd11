"""Comparisons of methods, minutes to hours long."""
