"""Errors of lifters on subjects they have not seen."""
