"""The pages of the app, each opened without a browser."""
