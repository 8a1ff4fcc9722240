"""What a person has asked to compare: target, galaxies, runs; and which two to look at closely."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.models.registry import MODELS
from core.services import comparing
from core.services.comparing import READS, Comparison, Metric
from core.store import Workspace

JOINED, EVERY = "seeds joined", "every run"
STALE_MARK = " ⚠"
ROWS_HELP = (f"**{JOINED}**: one row a configuration (model and settings), on the labels that its newest run saw; runs that differ only in their seed are shown as mean "
             f"± standard error.  \n**{EVERY}**: each finished run by itself.")  # fmt: skip
SUBSET_HELP = ("Which of the held-out test galaxies: all; thirds of the spectrum's S/N; star-forming or passive, parted at a specific SFR of 1e-11 per year; "
               "complete, with every modality. Everything on this page but modality use follows it.")  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What is compared.

    Attributes
    ----------
    everything, shown : all finished runs; those that pass the filters, the newest where seeds are joined.
    target, subset : of test galaxies. is_joined : runs that differ in their seed are one row.
    metrics : that are shown. mean, error : see `comparing.joined`; the best by the first metric first.
    """

    everything: Comparison
    shown: Comparison
    target: str
    subset: str
    is_joined: bool
    metrics: tuple[Metric, ...]
    mean: pd.DataFrame
    error: pd.DataFrame

    def measured(self, subset: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Mean and error of the same rows, in any order, over another subset of galaxies."""
        table = comparing.compared(self.shown, self.target, subset)
        return comparing.joined(table) if self.is_joined else comparing.separate(table)


@dataclass(frozen=True)
class Pair:
    """The two runs that are looked at closely, and what they are called."""

    first: int
    second: int
    names: dict[int, str]

    @property
    def by_name(self) -> dict[str, int]:
        """Name -> run; one where both are the same."""
        return {self.names[run]: run for run in (self.first, self.second)}


def row_names(mean: pd.DataFrame) -> pd.Series:
    """What the rows of `Asked.mean` are called: told apart by the run's number where they share a title; stale ones marked."""
    title = mean["title"].where(~mean["title"].duplicated(keep=False), mean["title"] + " #" + mean["run_id"].astype(str))
    return title.where(mean["stale"] == 0, title + STALE_MARK)


def choose(ws: Workspace, everything: Comparison) -> Asked:
    """The row of controls above everything."""
    targets = comparing.targets(ws)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        target = st.selectbox("Target", list(targets), key="target", bind="query-params", width=200, help="  \n".join(f"**{name}** {sentence}" for name, sentence in targets.items()))
        subset = st.selectbox("Galaxies", everything.subsets, key="subset", bind="query-params", width=170, help=SUBSET_HELP)
        is_joined = st.segmented_control("Rows", [JOINED, EVERY], default=JOINED, required=True, key="rows", bind="query-params", help=ROWS_HELP) != EVERY
        with st.popover("Filter", icon=":material/filter_alt:", help="Only some models, or what they read."):
            models, reads = _filters(everything)
        shows_all = st.toggle("every metric", key="every", bind="query-params", help="Also metrics that say nearly the same as others: RMSE of δ, σ NMAD in km/s, good z, galaxies without a prediction.")
    shown = everything.narrowed(models, reads)
    shown = shown.newest() if is_joined else shown
    metrics = tuple(m for m in comparing.shown(target) if shows_all or m.is_main)
    table = comparing.compared(shown, target, subset)
    mean, error = comparing.joined(table) if is_joined else comparing.separate(table)
    order = comparing.badness(mean[metrics[0].name], metrics[0]).argsort(kind="stable")
    return Asked(everything, shown, target, subset, is_joined, metrics, mean.iloc[order].reset_index(drop=True), error.iloc[order].reset_index(drop=True))


def pair(asked: Asked) -> Pair | None:
    """Which two runs are looked at closely; the two best by the first metric until a person chooses. None where no run keeps predictions."""
    names = _names(asked)
    if not names:
        return None
    first, second = _leading(asked, list(names))
    runs = {name: run for run, name in names.items()}
    left, right = st.columns(2)
    options, help_ = list(runs), "All panels below but Cost and Modalities show these two. The newest runs come first; the filters above apply."
    one = left.selectbox("First run", options, index=options.index(names[first]), key="first", bind="query-params", help=help_)
    two = right.selectbox("Second run", options, index=options.index(names[second]), key="second", bind="query-params", help=help_)
    _warn_of_stale(asked, (runs[one], runs[two]))
    return Pair(runs[one], runs[two], names)


def _filters(everything: Comparison) -> tuple[list[str], list[str]]:
    there = set(everything.runs["model"])
    known = [name for name in MODELS if name in there]
    models = st.multiselect("Models", [*known, *sorted(there - set(known))], key="model", bind="query-params", placeholder="all models", help="Only runs of these models; none chosen lets all pass.")
    present = [name for name in READS if name in set(everything.runs["reads"])]
    reads = st.pills("Read", present, selection_mode="multi", key="reads", bind="query-params", help="Only runs that read this: one modality, several of them (fused), or nothing. None chosen lets all pass.")
    return models, reads


def _names(asked: Asked) -> dict[int, str]:
    """Run id -> what people read, newest first; runs that the address names (``?run=7``) pass every filter."""
    table = pd.concat([asked.shown.runs, asked.everything.runs[asked.everything.runs["id"].isin(_linked())]]).drop_duplicates("id")
    return {int(r.id): f"{r.title} #{r.id}" for r in table[table["has_predictions"]].itertuples()}


def _leading(asked: Asked, known: list[int]) -> tuple[int, int]:
    """The linked run and the best, or the two best; by place in the list where nothing was measured."""
    order = list(dict.fromkeys([*(i for i in _linked() if i in known), *(int(i) for i in asked.mean["run_id"] if i in known), *known]))
    return order[0], order[min(1, len(order) - 1)]


def _linked() -> list[int]:
    asked = st.query_params.get("run", "")
    return [int(asked)] if asked.isdigit() else []


def _warn_of_stale(asked: Asked, run_ids: tuple[int, int]) -> None:
    known = [asked.everything.run(run) for run in dict.fromkeys(run_ids)]
    stale = [f"{run['title']} #{run['id']} ({run['stale']:,})" for run in known if run["stale"]]
    if stale:
        st.caption(f":orange[:material/warning: Stale, with labels that have been undone since: {', '.join(stale)}.]")
