"""The papers' methods on HumanEva-I with ground-truth 2D."""
