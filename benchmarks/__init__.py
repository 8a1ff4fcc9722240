"""Measurements that the README quotes; each runs as ``python -m benchmarks.<name>``."""
