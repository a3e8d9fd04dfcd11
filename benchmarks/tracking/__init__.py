"""Identities over time, and repaired tracks."""
