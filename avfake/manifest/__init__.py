"""The four-quadrant manifest: schema, tables, balance, and the proof of it."""
