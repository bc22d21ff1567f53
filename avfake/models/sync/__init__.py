"""The third stream: where sound meets pictures."""
