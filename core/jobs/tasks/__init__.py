"""What the worker can run: one file per kind of job."""
