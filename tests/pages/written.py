"""What stands in a workspace before its page is opened."""

import pandas as pd

from core.store import labels, runs


def second_run(ws, **config) -> int:
    """A run with the metrics and predictions of the first, and a configuration of its own."""
    run = runs.create(ws, "linear", "linear", config, 1, {"high_water": labels.high_water(ws), "count": 30, "hash": "b"})
    runs.save_arrays(ws, run, "predictions", **runs.load_arrays(ws, 1, "predictions"))
    rows = [("test", "z", subset, name, value) for subset in ("all", "passive") for name, value in (("rmse", 0.02), ("r2", 0.9), ("eta05", 0.1))]
    for number in (1, run):
        runs.put_metrics(ws, number, pd.DataFrame(rows, columns=["split", "target", "subset", "name", "value"]))
    runs.finish(ws, run, "done", {"seconds": 3.0})
    return run


def read_redshift(ws, who: str, object_id: int, z: float, sequence: int = 1, **more) -> None:
    """Somebody's redshift of an object."""
    labels.record(ws, [labels.Decision(object_id, "z", "label", who, f"c-{who}", sequence, value=z, grade=4, **more)])
