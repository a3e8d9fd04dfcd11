"""Action networks of other kinds beside the shipped one."""
