"""Which strategy pays here? The panels in which replays are asked for and watched."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.acquisition.registry import STRATEGIES
from core.services import exploring, overviewing, replaying, training
from core.services.replaying import WEIGHTS, Question, Replay, words_of
from core.store import Workspace, jobs
from core.ui import charts, jobs_panel, palette, state
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet, section

if TYPE_CHECKING:
    import plotly.graph_objects as go

EVERY_SECONDS = 2.0
CHOSEN = "replay_job"
USUAL = ("epistemic_sampled", "k_means_pp", "lcmd_sampled")
QUICK = "photometry_mlp"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
ABOUT = ("A replay hides the catalogue values of galaxies that have them, lets each strategy ask for them batch by batch, retrains after every batch and measures on the same "
         "held-out galaxies. No label of yours is used or written.")


def replay(ws: Workspace) -> None:
    """What to compare, and the curves of one replay, growing while it runs."""
    left, right = st.columns([1, 2.4], gap="medium")
    with left:
        _ask(ws)
    with right:
        _watched(ws)


def _ask(ws: Workspace) -> None:
    with section("What to compare", ABOUT):
        offered, targets = [spec.name for spec in replaying.models(ws)], [name for names in exploring.target_groups(ws).values() for name in names]
        if not offered:
            nothing_yet("No galaxy here has an image, a spectrum or photometry.", "pages/data.py", "Bring galaxies in")
            return
        model = st.selectbox("Model", offered, index=offered.index(QUICK) if QUICK in offered else 0, key="replay_model", persist_state="session", help="Who learns and chooses. It is trained anew after each batch, so take a quick one.")
        chosen = st.multiselect("Targets", targets, default=targets[:1], key="replay_targets", persist_state="session", help="What is predicted, asked for and measured; several weigh equally.")
        strategies = st.multiselect("Strategies", [name for name in STRATEGIES if name != "random"], default=USUAL, key="replay_strategies", persist_state="session", format_func=_named,
                                    help="Random is always beside them: it is the baseline that each has to beat.")
        protocol = {"target": ",".join(chosen), "strategies": tuple(strategies)} | _protocol()
        is_whole = bool(chosen and strategies)
        if is_whole:
            _said_before(ws, model, protocol)
        st.button("Replay", type="primary", icon=":material/replay:", key="replay_go", width="stretch", on_click=_start, args=(ws, model, protocol), disabled=not is_whole)


def _protocol() -> dict:
    left, right = st.columns(2)
    seeds = left.number_input("Seeds", 1, 50, 3, key="replay_seeds", persist_state="session", help="Repetitions with other first galaxies; every strategy shares them. Under three, luck cannot be told from skill; ten for a claim.")
    rounds = right.number_input("Rounds", 1, 100, 6, key="replay_rounds", persist_state="session", help="Batches asked for after the first galaxies.")
    with st.expander("First galaxies, batch, weights", icon=":material/tune:"):
        initial = st.number_input("First galaxies", 2, 100_000, 50, 10, key="replay_initial", persist_state="session", help="Drawn at random before the first batch.")
        batch = st.number_input("Batch", 1, 10_000, 25, 5, key="replay_batch", persist_state="session", help="Galaxies that are asked for at once.")
        weights = st.selectbox("Weights of labels", list(WEIGHTS), key="replay_weights", persist_state="session", format_func=_named, help="  \n".join(f"**{_named(n)}** {said}" for n, said in WEIGHTS.items()))
    return {"seeds": int(seeds), "rounds": int(rounds), "initial": int(initial), "batch": int(batch), "weights": weights}


def _said_before(ws: Workspace, model: str, protocol: dict) -> None:
    """How much work this is, before anybody asks for it."""
    question = Question(model=model, **protocol)
    spent = replaying.seconds(ws, question)
    time = "" if spent is None else f", at most {overviewing.spoken(spent)} on one processor going by the newest run of this model"
    st.caption(f"{question.budget:,} labels for each curve; {len(question.steps()):,} trainings{time}. It can be stopped, and goes on where it was.")


def _watched(ws: Workspace) -> None:
    known = {r.job_id: r for r in replaying.replays(ws)}
    if not known:
        nothing_yet(f"{ABOUT} With the settings beside this a replay takes minutes; its curves grow here while it runs.")
        return
    if st.session_state.get(CHOSEN) not in known:
        st.session_state[CHOSEN] = next(iter(known))
    with section("Replays", "Errors on held-out galaxies against galaxies asked about: the mean over seeds, its standard error as a band."):
        job_id = st.selectbox("Replay", list(known), key=CHOSEN, format_func=lambda i: known[i].title, label_visibility="collapsed")
        metrics = known[job_id].metrics
        metric = st.segmented_control("Metric", metrics, default=metrics[0], required=True, key=f"replay_metric_{' '.join(metrics)}", format_func=words_of, persist_state="session")
        st.fragment(_told, run_every=EVERY_SECONDS if known[job_id].is_under_way else None)(job_id, metric)


@guarded()
def _told(job_id: int, metric: str) -> None:
    """Progress, curves, verdict and table of one replay; looked at again and again while it runs."""
    ws = state.workspace()
    here = next(r for r in replaying.replays(ws) if r.job_id == job_id)
    _progress(ws, here)
    curves = replaying.told_so_far(ws, here)
    if curves.empty:
        st.caption("The first round draws the first points.")
        return
    found = replaying.summary(curves)
    if replaying.name_of(metric) not in replaying.NOT_ERRORS:
        st.markdown(f"{'So far: ' if here.status != 'done' else ''}{replaying.conclusion(found, metric, words_of(metric))}")
    charts.show(figure(curves, metric, here.question), "replay_curves", f"{words_of(metric)} of {', '.join(here.question.targets)} against galaxies asked about, a line for each strategy with its standard error")
    _table(found[found["metric"] == metric])


def _progress(ws: Workspace, here: Replay) -> None:
    if here.is_under_way:
        jobs_panel.cards(("replay",))
    elif here.status != "done":
        left, right = st.columns([5, 1.2], vertical_alignment="center")
        left.markdown(f":red[:material/error: {training.last_line(here.error)}]" if here.status == "failed" else ":gray[:material/block: Stopped. What it has done is kept.]")
        right.button("Go on", key=f"replay_resume_{here.job_id}", icon=":material/play_arrow:", on_click=_resume, args=(ws, here.job_id), width="stretch")


def figure(curves: pd.DataFrame, metric: str, question: Question) -> "go.Figure":
    """Mean over seeds of a metric, its standard error as a band; a colour and a dash for each strategy, random in grey."""
    drawn = charts.blank(400, "galaxies asked about", words_of(metric)).update_layout(hovermode="x unified")
    table = replaying.bands(curves[curves["metric"] == metric])
    for k, name in enumerate(question.strategies):
        one = table[table["strategy"] == name].sort_values("labels")
        if len(one):
            _add(drawn, one, _named(name), palette.NOTHING if k == 0 else charts.series()[(k - 1) % len(charts.series())], DASHES[(k - 1) % len(DASHES)] if k else "solid")
    return drawn


def _add(drawn: "go.Figure", one: pd.DataFrame, name: str, colour: str, dash: str) -> None:
    upper, lower = one["mean"] + one["error"], one["mean"] - one["error"]
    drawn.add_scatter(x=[*one["labels"], *one["labels"][::-1]], y=[*upper, *lower[::-1]], fill="toself", fillcolor=colour, opacity=0.16, line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False, legendgroup=name)
    drawn.add_scatter(x=one["labels"], y=one["mean"], customdata=one["error"], name=name, mode="lines+markers", legendgroup=name, line={"color": colour, "dash": dash, "width": 2}, marker={"size": 5},
                      hovertemplate="%{y:.4g} ± %{customdata:.2g}<extra>" + name + "</extra>")


def _table(rows: pd.DataFrame) -> None:
    """Each strategy against random on one metric, paired by seed."""
    reached = rows["labels_to_random_final"].map("{:.0f}".format).replace("nan", "never")
    shown = rows.assign(strategy=rows["strategy"].map(_named), junk_share=100 * rows["junk_share"], labels_to_random_final=reached)
    wanted = ["strategy", "seeds", "labels", "final", "area", "area_error", "labels_to_random_final", "worst_step", "junk_share", "selection_seconds", "training_seconds"]
    st.dataframe(shown[wanted], key="replay_table", hide_index=True, height="auto", column_config={
        "labels": st.column_config.NumberColumn("labels", help="Galaxies asked about at the end of the curve so far."),
        "final": st.column_config.NumberColumn("at the end", format="%.4g", help="Mean over seeds."),
        "area": st.column_config.NumberColumn("against random", format="%+.3f", help="Mean over the curve of the logarithm of the metric less random's, paired by seed: -0.10 is 10 % lower. Below 0 is better."),
        "area_error": st.column_config.NumberColumn("±", format="%.3f", help="Its standard error over seeds; a difference under twice as much may be luck."),
        "labels_to_random_final": st.column_config.TextColumn("labels to random's end", help="The fewest labels with which it is as good as random is at the end.", alignment="right"),
        "worst_step": st.column_config.NumberColumn("worst step", format="%+.3f", help="Where it stands worst against random, after the first batch."),
        "junk_share": st.column_config.NumberColumn("junk", format="%.0f %%", help="Share of its batches that nobody could label: stars, quasars, sky."),
        "selection_seconds": st.column_config.NumberColumn("choosing s", format="%.2f", help="Seconds of choosing a batch."),
        "training_seconds": st.column_config.NumberColumn("training s", format="%.2f", help="Seconds of one training."),
    })  # fmt: skip


def _named(name: str) -> str:
    return name.replace("_", " ")


@callback
def _start(ws: Workspace, model: str, protocol: dict) -> None:
    st.session_state[CHOSEN] = replaying.start(ws, replaying.question_of(model, protocol))
    state.tell("The replay is queued; its curves grow here.", ":material/replay:")


@callback
def _resume(ws: Workspace, job_id: int) -> None:
    jobs.retry(ws, job_id)
