"""Training of action classifiers."""
