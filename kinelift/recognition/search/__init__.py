"""Architecture search (ENAS) on labelled motion."""
