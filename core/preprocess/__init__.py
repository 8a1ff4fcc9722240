"""Calibrated arrays to model inputs: log-lambda grid, masks, continuum, asinh stretch, augmentation, features."""
