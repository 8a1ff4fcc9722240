"""Which model to trust, and where: metrics of runs side by side, and predictions against truth."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core import metrics
from core.store import Workspace, objects, runs, truth

TEST = "test"
SUBSETS = ("all", "sn low", "sn mid", "sn high", "star-forming", "passive", "complete")
"""The order in which subsets are shown; others follow by name."""


@dataclass(frozen=True)
class Metric:
    """How a number of the comparison is shown.

    Attributes
    ----------
    name : as `core.metrics` spells it. label : column heading.
    aim : ``low``, ``high``, ``none``, or the value it should have. number_format : printf format.
    is_main : shown without being asked for. cost : its sentence where it is no metric of `core.metrics`.
    """

    name: str
    label: str
    aim: str | float
    number_format: str
    is_main: bool = True
    cost: str = ""

    @property
    def sentence(self) -> str:
        """Help on hover: what it is, and what to want."""
        wanted = {"low": "Low is good.", "high": "High is good.", "none": ""}.get(self.aim, f"Should be {self.aim}.")
        known = self.cost or {**metrics.METRICS, **metrics.Z_METRICS}[self.name]
        return f"{known[0].upper()}{known[1:]}. {wanted}".strip()


METRICS = (
    Metric("rmse", "RMSE", "low", "%.4f"),
    Metric("r2", "R²", "high", "%.3f"),
    Metric("mae", "MAE", "low", "%.4f"),
    Metric("nmad", "σ NMAD", "low", "%.4f"),
    Metric("eta05", "η 0.05", "low", "%.3f"),
    Metric("eta15", "η 0.15", "low", "%.3f", False),
    Metric("coverage68", "68 % covered", 0.683, "%.3f"),
    Metric("coverage95", "95 % covered", 0.954, "%.3f"),
    Metric("crps", "CRPS", "low", "%.4f"),
    Metric("bias", "bias", 0.0, "%+.4f", False),
    Metric("rmse_delta", "RMSE δ", "low", "%.4f", False),
    Metric("nmad_kms", "σ NMAD km/s", "low", "%.0f", False),
    Metric("eta_1000kms", "η 1000 km/s", "low", "%.3f", False),
    Metric("good", "good z", "high", "%.3f", False),
    Metric("n", "galaxies", "none", "%d"),
    Metric("unpredicted", "unpredicted", "none", "%d", False),
)
COSTS = (
    Metric("seconds", "training s", "low", "%.1f", cost="seconds of training, on the device named"),
    Metric("milliseconds_per_galaxy", "ms / galaxy", "low", "%.3f", cost="milliseconds to predict one galaxy"),
)


def finished(ws: Workspace, only_latest: bool = True) -> pd.DataFrame:
    """Finished runs, newest first: id, name, model, seed, label_count, stale, finished and the costs; the latest of each model, or all."""
    table = runs.frame(ws).query("status == 'done'")
    table = table.drop_duplicates("model") if only_latest else table
    summaries = [json.loads(text) for text in table["summary"]]
    costs = {m.name: [s.get(m.name, np.nan) for s in summaries] for m in COSTS}
    device = [" ".join(filter(None, (s.get("device"), s.get("precision")))) for s in summaries]
    return table.assign(**costs, device=device).reset_index(drop=True)


def compared(ws: Workspace, run_ids: list[int], target: str, subset: str = "all") -> pd.DataFrame:
    """One row a run: run_id, run, model, one column per metric of `METRICS` (NaN = not measured), costs, stale.

    Metrics are those of the test split, over the galaxies of ``subset``.
    """
    chosen = finished(ws, only_latest=False).query("id in @run_ids")
    measured = runs.metrics(ws).query("split == @TEST and target == @target and subset == @subset")
    wide = measured.pivot(index="run_id", columns="name", values="value").reindex(index=chosen["id"], columns=[m.name for m in shown(target)])
    costs = chosen.set_index("id")[[m.name for m in COSTS]]
    names = chosen.set_index("id")[["name", "model", "label_count", "device", "stale"]].rename(columns={"name": "run"})
    return names.join(wide.astype(float)).join(costs.astype(float)).rename_axis("run_id").reset_index()


def shown(target: str) -> tuple[Metric, ...]:
    """The metrics that make sense for a target."""
    return tuple(m for m in METRICS if target == "z" or m.name not in metrics.Z_METRICS)


def best(table: pd.DataFrame, metric: Metric) -> int | None:
    """Index of the row whose value is best, None where nothing was measured or the metric has no aim.

    >>> best(pd.DataFrame({"rmse": [0.3, 0.1, np.nan]}), METRICS[0])
    1
    """
    values = table[metric.name].astype(float)
    if metric.aim == "none" or values.notna().sum() < 2:
        return None
    if isinstance(metric.aim, float):
        return int((values - metric.aim).abs().idxmin())
    return int(values.idxmin() if metric.aim == "low" else values.idxmax())


def subsets(ws: Workspace, run_ids: list[int]) -> list[str]:
    """The subsets of test galaxies that any of the runs was measured on; ``all`` first, S/N ascending."""
    names = set(runs.metrics(ws).query("run_id in @run_ids and split == @TEST")["subset"])
    return [*(s for s in SUBSETS if s in names or s == "all"), *sorted(names - set(SUBSETS))]


def predicted_and_true(ws: Workspace, run_id: int, target: str) -> pd.DataFrame:
    """The held-out galaxies of a run.

    Returns
    -------
    object_id, key, truth, mean, sigma (total, 1 standard deviation), residual (predicted - true; for z
    divided by 1 + z), sn; only galaxies of the test split with a truth and a prediction,
    no stars and quasars, as the metrics have it. Raises `NotFound`.
    """
    predictions = runs.load_arrays(ws, run_id, "predictions")
    column = list(predictions["targets"]).index(target)
    table = pd.DataFrame({
        "object_id": predictions["object_ids"], "mean": predictions["mean"][:, column],
        "sigma": np.sqrt(predictions["aleatoric"][:, column] + predictions["epistemic"][:, column]),
    })
    here = objects.frame(ws)
    held_out = here[(here["split"] == TEST) & (here["class"].fillna("GALAXY") == "GALAXY")][["id", "key", "sn"]].rename(columns={"id": "object_id"})
    known = truth.frame(ws, held_out["object_id"]).query("target == @target")[["object_id", "value"]].rename(columns={"value": "truth"})
    table = table.merge(held_out, on="object_id").merge(known, on="object_id").dropna(subset=["mean", "truth"])
    scale = 1 + table["truth"] if target == "z" else 1.0
    return table.assign(residual=(table["mean"] - table["truth"]) / scale)[["object_id", "key", "truth", "mean", "sigma", "residual", "sn"]].reset_index(drop=True)


def binned(table: pd.DataFrame, by: str, bins: int = 8) -> pd.DataFrame:
    """Median and central 68 % of the residuals in bins of equal counts: centre, low, median, high, n."""
    kept = table.dropna(subset=[by, "residual"])
    if len(kept) < 2 * bins:
        return pd.DataFrame(columns=["centre", "low", "median", "high", "n"])
    grouped = kept.groupby(pd.qcut(kept[by], bins, duplicates="drop"), observed=True)
    quantiles = grouped["residual"].quantile([0.16, 0.5, 0.84]).unstack().set_axis(["low", "median", "high"], axis=1)
    return quantiles.assign(centre=grouped[by].median(), n=grouped.size()).reset_index(drop=True)


def difference(ws: Workspace, first: int, second: int, target: str) -> pd.DataFrame:
    """Two runs on the same held-out galaxies: object_id, key, truth, first, second, gain (|residual| of the first minus that of the second), sn."""
    a, b = (predicted_and_true(ws, run, target) for run in (first, second))
    both = a.merge(b[["object_id", "mean", "residual"]], on="object_id", suffixes=("", "_second"))
    gain = both["residual"].abs() - both["residual_second"].abs()
    return both.assign(first=both["mean"], second=both["mean_second"], gain=gain)[["object_id", "key", "truth", "first", "second", "gain", "sn"]]
