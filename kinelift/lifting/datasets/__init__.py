"""Recorded data sets: their file layouts, their cameras, and batches for training drawn from them."""
