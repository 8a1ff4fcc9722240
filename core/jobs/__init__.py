"""The worker and the tasks it runs; the queue itself is `core.store.jobs`."""
