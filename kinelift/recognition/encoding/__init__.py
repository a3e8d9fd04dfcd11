"""Enhanced-SPMF: motions as small colour pictures."""
