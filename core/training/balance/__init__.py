"""Whether a network of several modalities uses each for what it is worth, and what can be done when it does not."""
