"""Survey files in, checked arrays out: one small reader per product, the mock sky, splits."""
