"""ENAS: search spaces, genotypes, the shared weights and the controller (Pham H. et al., ICML 2018)."""
