"""The runs that can be compared: what they are, what they read, what was measured of them."""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.jobs.fitted import stretches_in, training_seconds
from core.models.registry import MODELS
from core.services.comparing.measures import COSTS
from core.store import Workspace, runs
from core.uncertainty.conformal import Stretches

TEST = "test"
SUBSETS = ("all", "sn low", "sn mid", "sn high", "star-forming", "passive", "complete")
"""The order in which subsets are shown; others follow by name."""
FUSED, NOTHING = "fused", "nothing"
READS = ("image", "spectrum", "photometry", FUSED, NOTHING)
"""What a run reads: one modality, several, or none at all."""


@dataclass(frozen=True)
class Comparison:
    """Finished runs and their numbers; not to be written to.

    Attributes
    ----------
    runs : one row a run, newest first: id, title (its name, with its settings where other configurations bear the
        same), name, model, reads (of `READS`), settings (mapping, the model's defaults filled in), seed, label_count,
        label_high_water, label_hash, stale (labels undone since), device, has_predictions, costs (of `COSTS`, NaN =
        not recorded), summary (mapping), configuration (same model and settings), group (and the same labels).
    measured : run_id, target, subset, name, value, on the test split.
    """

    runs: pd.DataFrame
    measured: pd.DataFrame

    @property
    def is_empty(self) -> bool:
        return self.runs.empty

    @property
    def subsets(self) -> list[str]:
        """The subsets of test galaxies that any of the runs was measured on; ``all`` first, S/N ascending."""
        names = set(self.measured.loc[self.measured["run_id"].isin(self.runs["id"]), "subset"])
        return [*(s for s in SUBSETS if s in names or s == "all"), *sorted(names - set(SUBSETS))]

    def narrowed(self, models: Collection[str] = (), reads: Collection[str] = ()) -> "Comparison":
        """Only runs of these models that read this; an empty list lets all pass."""
        keep = np.ones(len(self.runs), dtype=bool)
        for column, wanted in (("model", models), ("reads", reads)):
            keep &= self.runs[column].isin(list(wanted)).to_numpy() if wanted else True
        return replace(self, runs=self.runs[keep].reset_index(drop=True))

    def newest(self) -> "Comparison":
        """Of each configuration only the runs on the labels that its newest run saw, one a seed."""
        newest = self.runs.drop_duplicates("configuration")["group"]
        table = self.runs[self.runs["group"].isin(newest)].drop_duplicates(["group", "seed"])
        return replace(self, runs=table.reset_index(drop=True))

    def run(self, run_id: int) -> pd.Series:
        """The row of one run."""
        return self.runs.set_index("id", drop=False).loc[run_id]

    def stretches(self, run_id: int) -> Stretches:
        """What the calibration split asked of a run's intervals."""
        return stretches_in(self.run(run_id)["summary"])


def comparison(ws: Workspace) -> Comparison:
    """Everything that has finished in a workspace, baselines apart: these stand on the learning curve."""
    table = runs.frame(ws).query("status == 'done' and not is_control").reset_index(drop=True)
    summaries = [json.loads(text) for text in table["summary"]]
    settings = [_settings(model, json.loads(text)) for model, text in zip(table["model"], table["config"], strict=True)]
    table = table.assign(
        settings=settings, summary=summaries, device=[" ".join(filter(None, (s.get("device"), s.get("precision")))) for s in summaries],
        reads=[_reads(model, given) for model, given in zip(table["model"], settings, strict=True)],
        configuration=[json.dumps([model, given], sort_keys=True) for model, given in zip(table["model"], settings, strict=True)],
        has_predictions=[(runs.folder(ws, i) / "predictions.npz").exists() for i in table["id"]],
        **{m.name: np.array([s.get(m.name, np.nan) for s in summaries], dtype=float) for m in COSTS},
    )
    seconds = training_seconds(dict(zip(table["id"], summaries, strict=True)))
    table = table.assign(seconds=[seconds[i] for i in table["id"]], title=_titles(table), group=table["configuration"] + table["label_hash"])
    measured = runs.metrics(ws)
    return Comparison(table, measured[(measured["split"] == TEST).to_numpy()].drop(columns="split"))


def _settings(model: str, given: dict) -> dict:
    return {**(MODELS[model].config if model in MODELS else {}), **given}


def _reads(model: str, settings: dict) -> str:
    chosen, known = settings.get("modalities", "all"), MODELS[model].modalities if model in MODELS else ()
    read = known if chosen == "all" else (chosen,)
    return read[0] if len(read) == 1 else FUSED if read else NOTHING


def _titles(table: pd.DataFrame) -> list[str]:
    """Names of runs, told apart by what differs from the model's defaults where two configurations bear one name."""
    namesakes = table.groupby("name")["configuration"].transform("nunique") > 1
    return [f"{r.name} ({said})" if is_shared and (said := _deviations(r.model, r.settings)) else r.name
            for r, is_shared in zip(table[["name", "model", "settings"]].itertuples(index=False), namesakes, strict=True)]  # fmt: skip


def _deviations(model: str, settings: dict) -> str:
    usual = MODELS[model].config if model in MODELS else {}
    return ", ".join(f"{k} {v}" for k, v in settings.items() if usual.get(k) != v)
