"""One map over chunks: this process, a process pool, or a Dask cluster."""
