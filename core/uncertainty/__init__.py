"""How unsure a model is, and why."""
