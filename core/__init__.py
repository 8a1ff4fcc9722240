"""Lookback's core: everything but the pages. See the floor plan in README.md."""
