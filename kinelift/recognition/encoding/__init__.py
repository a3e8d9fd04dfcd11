"""Enhanced-SPMF: motions encoded as small colour images."""
