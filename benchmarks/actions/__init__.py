"""How often real people's actions are named, and rightly."""
