"""The queue, the worker and the tasks it runs."""
