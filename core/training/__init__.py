"""Labelled galaxies to a fitted model, reproducibly."""
