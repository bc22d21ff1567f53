"""How good a detector is: its scores on a split, what they are worth, and the tables that say so."""
