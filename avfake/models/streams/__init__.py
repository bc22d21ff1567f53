"""The two streams, each a stem, four stages and a head."""
