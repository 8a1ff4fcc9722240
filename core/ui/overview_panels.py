"""The panels of the Overview page."""

import pandas as pd
import streamlit as st

from core.columns import TARGETS
from core.services import baselining, comparing, outcomes, overviewing, training
from core.services.overviewing import Census, Step
from core.store import Workspace
from core.ui import charts, jobs_panel, state
from core.ui.guard import callback, guarded
from core.ui.layout import cards, nothing_yet, section

CURVES = {"σ NMAD": "nmad", "RMSE": "rmse", "R²": "r2", "CRPS": "crps", "η 0.05": "eta05"}
HEADLINES = (("z", "nmad", "σ NMAD of z", ""), ("sfr_tot_median", "rmse", "RMSE, SFR", " dex"))

BASELINE = ("The same model, taught only by galaxies that were drawn at random: first labels, control slices and random batches. Without it nobody can say whether choosing helps. "
            "How many random labels would have served as well is read off its curve, with the middle 68 % in brackets.")
PROMISES = (
    ("bubble_chart", "See", "A map lays look-alikes side by side. Colour it by what the models do not know, and catch galaxies with a lasso."),
    ("travel_explore", "Ask", "A strategy picks the galaxies whose labels would teach most, says why, and keeps a random slice as an honest control."),
    ("edit_note", "Label", "Image and spectrum side by side, one key per galaxy, nothing ever lost, every label signed."),
    ("compare_arrows", "Learn", "Image, spectrum and fused models retrain in the background and are measured on the same held-out sky."),
)


def figures(ws: Workspace, here: Census) -> None:
    """The headline numbers."""
    columns = st.columns(5)
    columns[0].metric("Galaxies", f"{here.objects:,}", f"{here.complete:,} complete", help="Complete: with an image, a spectrum and photometry.", **_QUIET)
    columns[1].metric("Labelled", f"{here.labelled:,}", f"{here.labelled / here.objects:.0%} of them", help="Galaxies with a standing value of any target, whoever gave it.", **_QUIET)
    columns[2].metric("Finished runs", f"{here.runs:,}", f"{here.maps} map{'s' * (here.maps != 1)}", help="Trainings that have ended well, baselines among them.", **_QUIET)
    for column, (target, metric, label, unit) in zip(columns[3:], HEADLINES, strict=True):
        best = overviewing.best_of_newest(ws, target, metric)
        column.metric(label, f"{outcomes.three_digits(best.value)}{unit}" if best else "-", best.model if best else "no finished run", help="Best of each model's newest run, on held-out test galaxies.", **_QUIET)


def learning_curve(ws: Workspace) -> None:
    """A metric of every finished run against how many galaxies it learnt from."""
    with section("Learning curve", "Each point is a finished run, measured on held-out test galaxies that no strategy may choose."):
        left, right = st.columns([2, 5])
        target = left.selectbox("Target", [t.name for t in TARGETS], key="curve_target", persist_state="session", help="The quantity whose predictions are measured.")
        label = right.segmented_control("Metric", _metrics(target), default="σ NMAD" if target == "z" else "RMSE", required=True, key=f"curve_metric_{target == 'z'}", persist_state="session",
                                        help="  \n".join(f"**{m.label}** {m.sentence}" for m in comparing.METRICS if m.name in CURVES.values()))
        table = overviewing.learning_curve(ws, target, CURVES[label])
        if table.empty:
            nothing_yet("The curve begins with the first finished run.", "pages/train.py", "Train a model")
            return
        charts.show(charts.learning_curve(table, f"{label} of {target}"), "learning_curve", f"{label} of {target} against the number of labelled galaxies, a line for each model")
        if table["stale"].any():
            _stale(ws, table)
        _baseline(ws, table, label)


def _stale(ws: Workspace, table: pd.DataFrame) -> None:
    """How many runs have learnt from labels that were undone since, and a way to replace them."""
    with st.container(horizontal=True, vertical_alignment="center"):
        count = int((table["stale"] > 0).sum())
        st.caption(f":orange[:material/history:] {count} of these runs {'has' if count == 1 else 'have'} learnt from labels that were undone since.", width="stretch")
        st.button("Train again", key="stale_again", icon=":material/autorenew:", on_click=_again, args=(ws, training.stale_models(ws)), disabled=not training.stale_models(ws), help="The models whose newest run is among them, with its settings, from the labels as they stand.")


def _baseline(ws: Workspace, table: pd.DataFrame, label: str) -> None:
    """What choosing has bought, and one click that trains the baseline it is measured by."""
    for said in baselining.bought(table, is_error=label != "R²").values():
        st.markdown(f":material/balance: {said}", help=BASELINE)
    drawn, models = baselining.random_labels(ws), baselining.models(ws)
    if drawn < baselining.FEWEST:
        st.caption(f":material/casino: What choosing buys cannot be said yet: {drawn:,} labelled galaxies were drawn at random, and a baseline needs {baselining.FEWEST}. Keep a random slice in each batch.", help=BASELINE)
    elif models:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            model = st.selectbox("Baseline of", models, index=len(models) - 1, key="baseline_model", persist_state="session", width=220, help=BASELINE)
            st.button("Train the baseline", icon=":material/casino:", on_click=_train_baseline, args=(ws, model), help=f"{len(baselining.SHARES) * baselining.SEEDS} trainings on a quarter, half and all of the {drawn:,} random labels, {baselining.SEEDS} seeds each, in the background.")


def next_steps(steps: list[Step]) -> None:
    """The checklist of one turn of the loop, the next step in front."""
    with section("What to do next", "One turn of the loop: bring in, map, ask, label, train, compare; then ask again."):
        for step in steps:
            _step(step)


def whats_here(here: Census) -> None:
    """Modalities, splits and signal-to-noise."""
    left, middle, right = st.columns(3)
    with left, section("Modalities", "How many galaxies have an image, a spectrum, photometry."):
        table = pd.DataFrame({"modality": list(here.modalities), "present": list(here.modalities.values()), "all": here.objects})
        charts.show(charts.shares(table, "modality", "present", "all", ("present", "absent")), "modalities", "Galaxies with each modality", is_still=True)
    with middle, section("Splits", "Drawn by position on the sky, so that a galaxy never stands in two of them. Test and calibration galaxies are never chosen by a strategy."):
        charts.show(charts.shares(here.splits, "split", "labelled", "objects", ("labelled", "not labelled")), "splits", "Galaxies of each split, labelled and not", is_still=True)
    with right, section("Signal to noise", "Median S/N per pixel of the spectra."):
        if len(here.sn_n):
            charts.show(charts.histogram(here.sn_n, "S/N per pixel"), "sn", "Histogram of the signal-to-noise ratio of the spectra", is_still=True)
        else:
            st.caption("No object carries a signal-to-noise ratio.")


def first_run() -> None:
    """An empty workspace: the demo being built, or the two ways to begin."""
    st.fragment(_first_run, run_every=jobs_panel.interval())()


@guarded()
def _first_run() -> None:
    ws = state.workspace()
    with st.container(key="hero"):
        if overviewing.is_filling(ws):
            st.subheader("Your sky is being made", anchor=False)
            st.markdown("Galaxies, maps and first models appear here as they get ready. You can leave this page: work goes on in the background.")
            jobs_panel.stages(overviewing.stages(ws))
            return
        st.subheader("An empty sky", anchor=False)
        st.markdown("Begin with **3,000 simulated galaxies** whose truth is known: images, spectra and photometry, with maps and first models, in about three minutes. Or bring your own survey files.")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Build the demo sky", type="primary", icon=":material/auto_awesome:", on_click=_build_demo, args=(ws,))
            st.page_link("pages/data.py", label="Bring in your own files", icon=":material/upload_file:")
    cards(PROMISES)


def _step(step: Step) -> None:
    icon = ":green[:material/check_circle:]" if step.is_done else ":blue[:material/arrow_circle_right:]" if step.is_next else ":gray[:material/radio_button_unchecked:]"
    name = step.page[6:-3]
    with st.container(key=f"step_{name}", border=step.is_next, horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"{icon} &nbsp;**{step.title}**  \n:gray[:small[{step.sentence}]]" if step.is_next or step.is_done else f"{icon} &nbsp;{step.title}  \n:gray[:small[{step.sentence}]]", width="stretch")
        st.page_link(step.page, label=name.title(), icon=":material/arrow_forward:", icon_position="right")


def _metrics(target: str) -> list[str]:
    return [label for label in CURVES if target == "z" or label != "η 0.05"]


@callback
def _again(ws: Workspace, models: tuple[str, ...]) -> None:
    queued = training.retrain(ws, models)
    state.tell(f"{len(queued)} training{'s' * (len(queued) != 1)} queued", ":material/autorenew:")


@callback
def _train_baseline(ws: Workspace, model: str) -> None:
    queued = baselining.start(ws, model)
    state.tell(f"{len(queued)} trainings of the baseline queued" if queued else "This baseline is trained already, or on its way", ":material/casino:")


@callback
def _build_demo(ws: Workspace) -> None:
    overviewing.build_demo(ws)


_QUIET = {"border": True, "delta_color": "off", "delta_arrow": "off"}
