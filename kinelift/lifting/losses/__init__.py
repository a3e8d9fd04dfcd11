"""What training minimises: named terms between predicted and true poses over consecutive frames, in metres."""
