"""How well people stand in the world that the program finds: up, feet, floor, stillness, a jump, and lean."""
