"""How streams make a detector."""
