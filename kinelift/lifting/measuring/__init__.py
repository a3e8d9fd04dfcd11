"""Evaluation of lifters on held-out subjects."""
