"""The panels of the Train page."""

import streamlit as st

from core.jobs.mass import NONE, POOL_MASS
from core.models.options import EXPLAINED, OPTIONS
from core.models.registry import MODELS, Spec
from core.models.search import SPACES
from core.services import overviewing, training, tuning
from core.store import Workspace, jobs
from core.ui import charts, jobs_panel, state
from core.ui.guard import callback, guarded
from core.ui.layout import nothing_yet, section

KINDS = {"classical": ("blue", ":material/functions:"), "network": ("violet", ":material/hub:"), "fusion": ("green", ":material/merge:")}
MODALITY_ICONS = {"image": ":material/image:", "spectrum": ":material/show_chart:", "photometry": ":material/palette:"}


def choose(ws: Workspace) -> None:
    """The models, the seed and the settings, and the buttons that start."""
    with section("Models", "Every model learns from the same labels and is measured on the same held-out galaxies."):
        for pair in _pairs(list(MODELS.values())):
            for column, spec in zip(st.columns(2), pair, strict=False):
                with column:
                    _model(spec)
        chosen = [name for name in MODELS if st.session_state.get(f"train_{name}")]
        _settings(ws, chosen)
        with st.container(horizontal=True):
            label = f"Train {len(chosen)} model{'s' * (len(chosen) != 1)}" if chosen else "Train"
            st.button(label, type="primary", icon=":material/play_arrow:", disabled=not chosen, on_click=_start, args=(ws, chosen))
            st.button("Retrain everything", icon=":material/autorenew:", on_click=_retrain, args=(ws,),
                      help="Every model that has a finished run, with the settings of its newest one; all models where there is none.")
            st.button("Search settings", icon=":material/travel_explore:", on_click=_tune, args=(ws, chosen), disabled=not set(chosen) & set(SPACES),
                      help="Tries the settings of each ticked model by three-fold cross-validation over sky groups, twenty times, in the background; it may take twenty times as long as a training. "
                           "What it finds can then be taken over below, under settings.")


def what_they_learn(ws: Workspace) -> None:
    """The labels that a run started now would see."""
    seen = training.snapshot(ws)
    with section("What they learn from", "The label log as it stands now. A run remembers the mark up to which it read the log, and the hash of what it saw.", fills=False):
        if not seen.galaxies:
            nothing_yet("No galaxy of the train split has a label yet.", "pages/query.py", "Ask for a batch")
            return
        left, right = st.columns(2)
        left.metric("Galaxies with z", f"{seen.galaxies.get('z', 0):,}", help="Galaxies of the train split with a redshift to learn from: graded 3 or 4, and agreed on where several people gave one.")
        right.metric("with SFR", f"{seen.galaxies.get('sfr_tot_median', 0):,}", help="Galaxies of the train split with a median star-formation rate to learn from.")
        fresh = overviewing.fresh_labels(ws)
        st.caption(f"{seen.values:,} values over all targets and splits, as the log of decisions stands at its row {seen.high_water:,}.")
        st.markdown(f":orange[:material/add_circle: {overviewing.labelled_since(fresh)} since the newest finished run.]" if fresh else ":green[:material/check: The newest run has seen every label.]")
        if seen.held_back:
            said = "redshift is held back, because people disagree about it." if seen.held_back == 1 else "redshifts are held back, because people disagree about them."
            st.markdown(f":orange[:material/compare_arrows: {seen.held_back:,} {said}]")
            st.page_link("pages/review.py", label="Settle it on the Review page", icon=":material/rule:")
        st.caption("Snapshot SHA-256", help="A fingerprint of the values as they stand: two runs with the same one have learnt from the same labels.")
        st.code(seen.hash, language=None, wrap_lines=True)


def live() -> None:
    """Loss curves and what runs, looked at every second while something runs."""
    st.fragment(_live, run_every=jobs_panel.interval())()


def ended(ws: Workspace) -> None:
    """Jobs that failed or were stopped, with what they said and a way to start them again."""
    for job in training.unhappy(ws).itertuples():
        with st.container(border=True, key=f"ended_{job.id}"):
            left, right = st.columns([8, 1.2], vertical_alignment="center")
            left.markdown(f"{':red[:material/error:]' if job.status == 'failed' else ':gray[:material/block:]'} &nbsp;**{job.title}** &nbsp; :gray[{job.status}, job {job.id}]")
            right.button("Try again", key=f"retry_{job.id}", icon=":material/replay:", type="tertiary", on_click=_retry, args=(ws, job.id), width="stretch",
                         help="It goes on from its last checkpoint.")
            if job.error:
                st.markdown(f":red[{training.last_line(job.error)}]")
                with st.expander("What it said before it ended", type="compact"):
                    st.code(job.error, language=None)


def finished(ws: Workspace) -> None:
    """All runs that have ended, and whether the labels have moved on since."""
    with section("Runs", "A run is stale when a label it saw has been undone since; train again to be rid of it."):
        table = training.finished(ws)
        if table.empty:
            nothing_yet("No run has ended yet. Choose models above and press Train.")
            return
        st.dataframe(
            table[["id", "name", "model", "status", "state", "label_count", "seed", "seconds", "epochs", "parameters", "device", "finished"]], hide_index=True, height="auto",
            column_config={
                "id": st.column_config.NumberColumn("run", width="small"), "label_count": st.column_config.NumberColumn("labels", format="localized"),
                "state": st.column_config.TextColumn("labels since", help="Whether the label log has moved on since the run read it."),
                "seconds": st.column_config.NumberColumn("training s", format="%.1f"), "parameters": st.column_config.NumberColumn("weights", format="compact"),
                "finished": st.column_config.DatetimeColumn("finished", format="distance"),
            },
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link("pages/compare.py", label="Compare them", icon=":material/compare_arrows:")
            stale = training.stale_models(ws)
            if stale:
                st.button(f"Train {', '.join(stale)} again" if len(stale) < 3 else f"Train {len(stale)} stale models again", key="retrain_stale", icon=":material/history:", on_click=_retrain, args=(ws, stale),
                          help="Their newest runs have learnt from labels that were undone since. They learn anew from the labels as they stand, with the same settings.")


@guarded()
def _live() -> None:
    ws = state.workspace()
    jobs_panel.cards()
    table = training.curves(ws)
    with section("Loss curves", "The newest run of each network. Validation loss as a full line, training loss dotted. Targets are standardised, so losses of different targets can be added.", key="live_curves"):
        if table.empty:
            nothing_yet("Networks draw their curves here while they train; classical models have none.")
        else:
            charts.show(charts.loss_curves(table), "loss_curves", "Training and validation loss against epoch, a colour for each run")


def _model(spec: Spec) -> None:
    colour, icon = KINDS[spec.kind]
    with st.container(border=True, key=f"model_{spec.name}", gap="xxsmall", height="stretch"):
        st.checkbox(f"**{spec.name}**", key=f"train_{spec.name}", persist_state="session")
        st.caption(spec.sentence, help=f"A galaxy that lacks what it reads: {spec.missing}" if spec.modalities else None)
        reads = " ".join(f":gray-badge[{MODALITY_ICONS[m]} {m}]" for m in spec.modalities)
        st.markdown(f":{colour}-badge[{icon} {spec.kind}] {reads}")


def _pairs(items: list) -> list[list]:
    return [items[i:i + 2] for i in range(0, len(items), 2)]


def _settings(ws: Workspace, chosen: list[str]) -> None:
    with st.expander("Seed, epochs and settings", icon=":material/tune:"):
        left, right, third = st.columns(3, vertical_alignment="bottom")
        left.number_input("Seed", 0, 2**31 - 1, 0, key="train_seed", help="Drives every random draw of the training; the same seed and labels give the same model.", persist_state="session")
        right.number_input("Epochs", 1, 10_000, None, key="train_epochs", placeholder="the model's own", help="For networks; empty leaves it to the model.", persist_state="session")
        third.toggle("Labels count by what they stand for", True, key="train_mass", persist_state="session",
                     help="A label that a strategy asked for counts in the fit by the root of the unlabelled galaxies that are nearest to it, in the features of the model's run before. "
                          "Strategies ask about rare galaxies more often than they occur; this gives the common ones their say back. Labels drawn at random count the same.")
        for name in chosen:
            settings = {s: default for s, default in MODELS[name].config.items() if s != "epochs"}
            if settings:
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.caption(f"**{name}**", width="content")
                    _found(ws, name)
                columns = st.columns(4)
                for i, (setting, default) in enumerate(settings.items()):
                    with columns[i % 4]:
                        _setting(name, setting, default)


def _found(ws: Workspace, model: str) -> None:
    """A button that fills in what the newest search of a model has found."""
    best = tuning.found(ws, model)
    if best is not None:
        said = ", ".join(f"{name.replace('_', ' ')} {value:.3g}" if isinstance(value, float) else f"{name.replace('_', ' ')} {value}" for name, value in best.items())
        st.button("Take what the search found", key=f"take_{model}", icon=":material/input:", type="tertiary", on_click=_take, args=(model, best), help=said)


def _setting(model: str, name: str, default: object) -> None:
    """A widget of the setting's own type; other types are left to the command line."""
    key, label, explained = _key(model, name), name.replace("_", " "), EXPLAINED[name]
    if isinstance(default, bool):
        st.toggle(label, default, key=key, persist_state="session", help=explained)
    elif isinstance(default, int):
        st.number_input(label, value=default, step=1, key=key, persist_state="session", help=explained)
    elif isinstance(default, float):
        st.number_input(label, value=default, format="%g", key=key, persist_state="session", help=explained)
    elif name in OPTIONS:
        st.selectbox(label, OPTIONS[name], OPTIONS[name].index(default), key=key, persist_state="session", help=explained)
    elif isinstance(default, str):
        st.text_input(label, default, key=key, persist_state="session", help=explained)


def _configs(chosen: list[str]) -> dict[str, dict]:
    """Settings that differ from the models' defaults."""
    asked = {name: {s: st.session_state.get(_key(name, s), d) for s, d in MODELS[name].config.items()} for name in chosen}
    return {name: {s: v for s, v in values.items() if v != MODELS[name].config[s]} for name, values in asked.items()}


def _key(model: str, setting: str) -> str:
    return f"setting_{model}_{setting}"


@callback
def _start(ws: Workspace, chosen: list[str]) -> None:
    queued = training.start(ws, chosen, int(st.session_state.get("train_seed", 0)), st.session_state.get("train_epochs"), _configs(chosen), POOL_MASS if st.session_state.get("train_mass", True) else NONE)
    state.tell(f"{len(queued)} training{'s' * (len(queued) != 1)} queued")


@callback
def _tune(ws: Workspace, chosen: list[str]) -> None:
    queued = [tuning.start(ws, name, seed=int(st.session_state.get("train_seed", 0))) for name in chosen if name in SPACES]
    state.tell(f"{len(queued)} search{'es' * (len(queued) != 1)} queued", ":material/travel_explore:")


def _take(model: str, best: dict) -> None:
    for name, value in best.items():
        st.session_state[_key(model, name)] = value


@callback
def _retrain(ws: Workspace, models: tuple[str, ...] = ()) -> None:
    queued = training.retrain(ws, models)
    state.tell(f"{len(queued)} training{'s' * (len(queued) != 1)} queued", ":material/autorenew:")


@callback
def _retry(ws: Workspace, job_id: int) -> None:
    jobs.retry(ws, int(job_id))
