"""Everything a person can set about a batch, and the button that previews it."""

from dataclasses import replace

import streamlit as st

from core.acquisition.registry import STRATEGIES
from core.services import exploring, querying
from core.services.querying import Request
from core.store import Workspace
from core.ui.guard import callback
from core.ui.layout import section
from core.ui.query import desk
from core.ui.query.gates import gates
from core.ui.query.where import population, region

SPREADS = {0.0: "most informative", 0.25: "a little spread", 0.5: "half and half", 0.75: "well spread", 1.0: "most spread out"}


def ask(ws: Workspace) -> tuple[Request, str | None]:
    """What is asked for, less what the strategy cannot heed, and the strategy to compare it with."""
    with section("What to ask", "Nothing is saved before you say so. Whatever is folded up below the button has a sensible setting."):
        runs = exploring.run_names(ws)
        run_id = st.selectbox("Model run", list(runs), format_func=runs.get, key="query_run", persist_state="session", placeholder="no finished run",
                              help="Whose uncertainties and latent features the strategy looks at. Without one, places on the newest map stand in.")
        strategy, against = _strategies(run_id is not None)
        left, right = st.columns([1.1, 1])
        size = left.number_input("Galaxies", 1, 10_000, 50, 10, key="size", bind="query-params", persist_state="session", help="How many the batch holds, the random control slice among them.")
        with right:
            request = Request(strategy, int(size), _targets(ws), run_id)
        ids, words = region(ws, run_id, next(iter(request.targets), "z"))
        go = st.container()
        request = gates(ws, _details(_wishes(ws, replace(request, region=ids, where=words))))
        request = querying.heeded(request)
        go.button("Preview", type="primary", icon=":material/visibility:", on_click=_preview, args=(ws, request, against), width="stretch", key="query_go",
                  disabled=not request.targets, help="See which galaxies would be asked about, why each, and what the batch should buy." if request.targets else "Choose a target first.")
        return request, against


def _strategies(has_run: bool) -> tuple[str, str | None]:
    offered = [s.name for s in STRATEGIES.values() if has_run or not {"epistemic_pt", "disagreement_pt"} & set(s.needs)]
    words = "  \n".join(f"**{_plainly(n)}** {STRATEGIES[n].sentence}" for n in offered)
    key = "strategy" if has_run else "strategy_without_run"
    strategy = st.selectbox("Strategy", offered, index=offered.index("lcmd_sampled" if has_run else "k_means"), key=key, bind="query-params", persist_state="session", format_func=_plainly, help=words)
    st.caption(STRATEGIES[strategy].sentence)
    compares = st.toggle("Compare with", key="compare", bind="query-params", persist_state="session", help="Compose a second batch for the same request: both on one map, what each buys side by side, and you take one.")
    others = [name for name in offered if name != strategy]
    against = st.selectbox("Compare with", others, index=0, key=f"{key}_against", persist_state="session", format_func=_plainly, disabled=not compares, label_visibility="collapsed", help=words)
    return strategy, against if compares else None


def _plainly(name: str) -> str:
    return name.replace("_", " ")


def _targets(ws: Workspace) -> tuple[str, ...]:
    groups = exploring.target_groups(ws)
    chosen = st.pills("Targets", list(groups), default=list(groups), selection_mode="multi", key="query_targets", persist_state="session", format_func=lambda g: g.upper() if g != "z" else g,
                      help="Whose uncertainty counts; groups weigh equally however many columns they have, unless you balance them below. A galaxy with a decision on any of them is not asked about again.")
    return tuple(name for group in chosen for name in groups[group])


def _wishes(ws: Workspace, request: Request) -> Request:
    strategy = STRATEGIES[request.strategy]
    with st.expander("Balance, diversity, aim", icon=":material/balance:", key="query_wishes", on_change="rerun"):
        can_balance = "z" in request.targets and len(request.targets) > 1
        balance = st.slider("Weight of z, %", 0, 100, 50, 5, key="query_balance", persist_state="session", disabled=not can_balance,
                            help="What the redshift counts against star formation: 50 weighs them equally, 100 looks at z alone. It needs both as targets.")
        if can_balance and not strategy.heeds_weights:
            st.caption(f"{_plainly(request.strategy)} looks at no variance: the balance only weighs what the batch covers.")
        diversity = st.select_slider("Diversity", list(SPREADS), 0.0, format_func=SPREADS.get, key="query_diversity", persist_state="session", disabled=not strategy.heeds_diversity,
                                     help="Between the galaxies that score highest, which tend to resemble each other, and those farthest from every label and pick. For strategies that score each galaxy by itself: "
                                          + ", ".join(_plainly(s.name) for s in STRATEGIES.values() if s.heeds_diversity) + ".")
        if not strategy.heeds_diversity:
            st.caption(f"{_plainly(request.strategy)} has no score to weigh against distance{'' if 'features_pd' not in strategy.needs else ': it spreads its picks by itself'}.")
        ids, words = population(ws, request.strategy, strategy.heeds_population, request.run_id, next(iter(request.targets), "z"))
    return replace(request, balance=balance / 100 if can_balance else 0.5, diversity=diversity, population=ids, whom=words)


def _details(request: Request) -> Request:
    with st.expander("Time, control slice, seed", icon=":material/tune:", key="query_details", on_change="rerun"):
        per_minute = st.checkbox("most for each minute of your time", False, key="query_minute", persist_state="session", disabled=not STRATEGIES[request.strategy].heeds_cost,
                                 help="Weigh what a label is worth by how long it should take: by the S/N, as everybody's decisions so far teach, and by the chance that nobody can tell. "
                                      "Strategies that look at no worth, such as random, cannot.")
        share = st.slider("Random control slice, %", 0, 100, 10, 5, key="query_control", persist_state="session",
                          help="Drawn at random whatever the strategy says: an honest baseline for the learning curve, and labels that calibration may use.")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, 1, key="query_seed", persist_state="session", help="The same seed, settings and labels give the same batch.")
    return replace(request, control_share=share / 100, seed=int(seed), per_minute=per_minute)


@callback
def _preview(ws: Workspace, request: Request, against: str | None) -> None:
    desk.preview(ws, request, against)
