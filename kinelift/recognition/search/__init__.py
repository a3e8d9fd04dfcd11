"""Architecture search (ENAS) for action networks."""
