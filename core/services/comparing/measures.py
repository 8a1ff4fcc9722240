"""Which numbers are shown of a run, and what to want of each."""

from dataclasses import dataclass

import pandas as pd

from core import metrics


@dataclass(frozen=True)
class Metric:
    """How a number of the comparison is shown.

    Attributes
    ----------
    name : as `core.metrics` spells it. label : column heading.
    aim : ``low``, ``high``, ``none``, or the value it should have. number_format : format specification.
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
        known = self.cost or {**metrics.METRICS, **metrics.Z_METRICS, **metrics.STRETCHED}[self.name]
        return f"{known[0].upper()}{known[1:]}. {wanted}".strip()

    @property
    def is_ranked(self) -> bool:
        """Whether lower, or higher, is always better."""
        return self.aim in ("low", "high")

    def text(self, value: float, error: float = float("nan")) -> str:
        """The value as people read it, with its standard error where there is one; empty when missing.

        >>> METRICS[0].text(0.01234, 0.0004), COSTS[3].text(float("nan"))
        ('0.0123 ± 0.0004', '')
        """
        if pd.isna(value):
            return ""
        spread = "" if pd.isna(error) else f" ± {format(error, self.number_format.lstrip('+'))}"
        return format(value, self.number_format) + spread


METRICS = (
    Metric("rmse", "RMSE", "low", ".4f"),
    Metric("r2", "R²", "high", ".3f"),
    Metric("mae", "MAE", "low", ".5f"),
    Metric("bias", "bias", 0.0, "+.5f"),
    Metric("nmad", "σ NMAD", "low", ".6f"),
    Metric("eta05", "η 0.05", "low", ".3f"),
    Metric("eta15", "η 0.15", "low", ".3f"),
    Metric("eta_1000kms", "η 1000 km/s", "low", ".3f"),
    Metric("crps", "CRPS", "low", ".5f"),
    Metric("coverage68", "68 % covered", 0.683, ".3f"),
    Metric("coverage95", "95 % covered", 0.954, ".3f"),
    Metric("conformal68", "68 % stretched", 0.683, ".3f"),
    Metric("conformal95", "95 % stretched", 0.954, ".3f"),
    Metric("joint68", "68 % joint", 0.683, ".3f", False),
    Metric("joint95", "95 % joint", 0.954, ".3f", False),
    Metric("rmse_delta", "RMSE δ", "low", ".4f", False),
    Metric("nmad_kms", "σ NMAD km/s", "low", ",.0f", False),
    Metric("good", "good z", "high", ".3f", False),
    Metric("n", "galaxies", "none", ",.0f"),
    Metric("unpredicted", "unpredicted", "none", ",.0f", False),
)
COSTS = (
    Metric("seconds", "training s", "low", ",.1f", cost="seconds of training on the device named, with those of networks taken over from other runs"),
    Metric("milliseconds_per_galaxy", "ms / galaxy", "low", ".3f", cost="milliseconds to predict one galaxy"),
    Metric("peak_mb", "peak MB", "low", ",.0f", cost="most memory that training and prediction held, in MB"),
    Metric("parameters", "parameters", "low", ",.0f", cost="numbers that the fitted model consists of"),
)


def shown(target: str) -> tuple[Metric, ...]:
    """The metrics that make sense for a target."""
    return tuple(m for m in METRICS if target == "z" or m.name not in metrics.Z_METRICS)


def best(table: pd.DataFrame, metric: Metric) -> list[int]:
    """Index of the row whose value is best, of all of them where several are; none where fewer than two were measured or the metric has no aim.

    >>> best(pd.DataFrame({"rmse": [0.3, 0.1, None]}), METRICS[0])
    [1]
    """
    values = table[metric.name].astype(float)
    if metric.aim == "none" or values.notna().sum() < 2:
        return []
    bad = badness(values, metric)
    return [int(row) for row in bad.index[bad == bad.min()]]


def badness(values: pd.Series, metric: Metric) -> pd.Series:
    """How far from what is wanted: lower is better, whatever the metric's aim; NaN stays NaN."""
    if isinstance(metric.aim, float):
        return (values - metric.aim).abs()
    return -values if metric.aim == "high" else values
