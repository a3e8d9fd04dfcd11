"""Recordings for other programs and for the eye: csv, json, npz, ``actions.json`` and the timeline figure."""
