"""What a batch buys, before anybody labels it: a line of figures, or two to compare."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.services import advising, querying
from core.services.querying import Preview, Request
from core.store import Workspace
from core.ui import state
from core.ui.guard import callback, guarded
from core.ui.query import desk
from core.ui.query.desk import Desk

HELP = {
    "Uncertainty covered": "Share of the pool's epistemic uncertainty that these labels come near: 1 \N{MINUS SIGN} d²/d₀² for each galaxy, d₀ its distance to the nearest label now, d to the nearest pick. Below it, how many points of a per cent more or less that is than the mean of several random batches of this size.",
    "Redundancy": "How much of that coverage several picks share: 0 when each covers other galaxies.",
    "Labelled already": "Of the train-split galaxies here that could be asked about, the share that has a label already.",
    "Cannot be told": "The mean chance that nobody can tell a value of a pick (a star, an artefact, too little signal), as past decisions teach; 0 while nobody has failed to.",
    "Error": "How far these very labels should lower the error on held-out galaxies, by what the model does not know yet; below it the same in the target's unit with its 1-sigma error. – where the run keeps nothing to tell it by.",
    "Your time": "At the pace of your latest decisions; – until you have made a few.",
    "In common": "Picks that both batches hold. The random control is the same in both, where both choose from the same galaxies.",
}
NOTHING = "\N{NO-BREAK SPACE}"
_SHAPES = (":material/radio_button_unchecked:", ":material/crop_square:")
"""As the picks are ringed on the map."""


@guarded()
def bought(ws: Workspace, request: Request, against: str | None, on_desk: Desk | None) -> None:
    """The figures of the batch, and of the one beside it; before there is one, what will stand here."""
    with st.container(border=True, key="worth", gap="xsmall"):
        rows = [(request, None, "")] if on_desk is None else [(on_desk.batch.request, on_desk.batch, "")]
        if on_desk is not None and on_desk.rival is not None:
            common = f"{len(np.intersect1d(on_desk.batch.ids, on_desk.rival.ids)):,}"
            rows = [(b.request, b, common) for b in (on_desk.batch, on_desk.rival)]
        elif on_desk is None and against:
            rows = [(r, None, "–") for r in (request, desk.rival_of(request, against))]
        told = [_figures(ws, *row) for row in rows]
        _line([("", ""), *((f":gray[:small[{title}]]", help_) for title, _, help_ in told[0])], "bottom")
        for k, ((asked, previewed, common), figures) in enumerate(zip(rows, told, strict=True)):
            _line([(f"{_SHAPES[k]} **{_name(asked)}**" if common else f"**{_name(asked)}**", ""), *((value, "") for _, value, _ in figures)], below_first=_taken(ws, previewed, k) if common else None)
    st.caption("Press Preview to see which galaxies would be asked about, why each, and what the batch buys." if on_desk is None else _chosen_from(on_desk.batch))


def _line(cells: list[tuple[str, str]], alignment: str = "top", below_first: Callable[[], None] | None = None) -> None:
    columns = st.columns([1.4, *[1] * (len(cells) - 1)], gap="small", vertical_alignment=alignment)
    for column, (text, help_) in zip(columns, cells, strict=True):
        column.markdown(text, help=help_ or None)
    if below_first is not None:
        with columns[0]:
            below_first()


def _taken(ws: Workspace, previewed: Preview | None, k: int) -> Callable[[], None]:
    return lambda: st.button("Take this one", key=f"query_take_{k}", type="tertiary", icon=":material/check:", on_click=_take, args=(ws, previewed), disabled=previewed is None,
                             help="Go on with this batch; the other is put aside, and Undo brings it back.")


def _figures(ws: Workspace, request: Request, previewed: Preview | None, common: str) -> list[tuple[str, str, str]]:
    """Title, value and help of each."""
    worth = dict.fromkeys(("covered", "random_covered", "redundancy", "labelled_share", "cannot"), np.nan) if previewed is None else previewed.worth
    minutes, gain = querying.minutes(ws, state.annotator(), request.size if previewed is None else len(previewed.table)), round(worth["covered"] - worth["random_covered"], 3)
    colour = "gray" if not abs(gain) > 0 else "green" if gain > 0 else "red"
    figures = [
        ("Uncertainty covered", _percent(worth["covered"]), "" if np.isnan(gain) else f":{colour}[{100 * gain + 0.0:+.1f} vs random]"),
        ("Redundancy", _percent(worth["redundancy"]), ""), ("Labelled already", _percent(worth["labelled_share"]), ""), ("Cannot be told", _percent(worth["cannot"]), ""),
        *_gains(ws, previewed, request), ("Your time", "–" if minutes is None else f"{minutes:.0f} min", ""),
    ]
    figures += [("In common", common, "")] if common else []
    return [(title, f"**{value}**  \n:small[{beside or NOTHING}]", HELP[title.partition(" of ")[0]]) for title, value, beside in figures]


def _gains(ws: Workspace, previewed: Preview | None, request: Request) -> list[tuple[str, str, str]]:
    found = []
    for target in advising.leading(ws, request.targets) if request.targets else []:
        known = None
        if previewed is not None and request.run_id is not None and len(previewed.table):
            known = advising.in_short(advising.advise(ws, request.run_id, target, len(previewed.table), tuple(previewed.ids.tolist())))
        found.append((f"Error of {'SFR' if target.startswith('sfr') else target}", *(known or ("–", ""))))
    return found


def _chosen_from(previewed: Preview) -> str:
    out = [f"{count:,} {reason}" for reason, count in previewed.pool.counts.items() if count]
    lacking = len(previewed.table) - int(previewed.worth["measured"])
    unmeasured = f" {lacking:,} picks have no features to measure with." if lacking and previewed.features else ""
    measured = f" Distances: {previewed.features}." if previewed.features else ""
    return f"Chosen from {len(previewed.pool):,} galaxies ({previewed.request.where}){'; left out: ' + ', '.join(out) if out else ''}.{measured}{unmeasured}"


def _name(request: Request) -> str:
    return request.strategy.replace("_", " ")


def _percent(share: float) -> str:
    return "–" if np.isnan(share) else f"{100 * share:.1f} %"


@callback
def _take(ws: Workspace, chosen: Preview) -> None:
    desk.lay(ws, chosen)
    state.tell(f"You go on with the batch of {_name(chosen.request)}.", ":material/check:")
