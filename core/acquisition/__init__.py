"""Given what the model thinks, which galaxies to ask about next; one file per family, one registry."""
