"""What each modality is worth to the runs that read several: measured by training, shown here."""

import pandas as pd

from core.services.comparing.finished import Comparison
from core.store import Workspace, runs

USE, USE_BY_SUBSET, VERDICTS = "modality_use", "modality_use_sn", "modality_verdicts"
CURVES = "use/"
"""Names of history curves begin with it: use/<target>/<modality>."""


def rates(comparison: Comparison, subset: str = "all") -> pd.DataFrame:
    """Conditional utilisation rates: run_id, title, target, modality, rate; no rows where no run has any.

    ``subset`` : ``all``, or a third of S/N where training measured those apart.
    """
    rows = [
        (run.id, run.title, target, modality, float(rate))
        for run in comparison.runs.itertuples()
        for target, used in _told(run.summary, subset).items()
        for modality, rate in used.items()
    ]
    return pd.DataFrame(rows, columns=["run_id", "title", "target", "modality", "rate"])


def _told(summary: dict, subset: str) -> dict:
    return summary.get(USE, {}) if subset == "all" else summary.get(USE_BY_SUBSET, {}).get(subset, {})


def verdicts(comparison: Comparison) -> dict[int, list[str]]:
    """Run id -> what its training concluded about its modalities, for runs that concluded anything."""
    return {int(run.id): list(run.summary[VERDICTS]) for run in comparison.runs.itertuples() if run.summary.get(VERDICTS)}


def over_training(ws: Workspace, run_ids: list[int]) -> pd.DataFrame:
    """The rates while training went on: run_id, epoch, target, modality, rate."""
    table = runs.histories(ws, run_ids)
    table = table[table["name"].str.startswith(CURVES)].rename(columns={"value": "rate"})
    parts = table["name"].str.split("/", n=2, expand=True).reindex(columns=[0, 1, 2])
    return table.assign(target=parts[1], modality=parts[2])[["run_id", "epoch", "target", "modality", "rate"]].reset_index(drop=True)
