"""Exports recordings as CSV, JSON and NPZ, their actions as ``actions.json`` and as a figure."""
