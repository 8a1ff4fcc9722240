"""Saved views: a map as somebody looked at it, under a name that can be sent as a link."""

import base64
import zlib
from dataclasses import dataclass, field

import numpy as np

from core.errors import BadInput
from core.services.exploring.filters import Filters
from core.store import Workspace, views

LONGEST = 60


@dataclass(frozen=True)
class View:
    """What a person has set: map, run, colouring, target, who is shown, and the ids of what is caught, None for nothing."""

    name: str
    run_id: int | None
    colouring: str
    target: str
    filters: Filters = field(default_factory=Filters)
    caught: tuple[int, ...] | None = None


def save_view(ws: Workspace, name: str, view: View, annotator: str) -> None:
    """Keep a view under a name; one of the same name is replaced. Raises `BadInput` for no name or a long one."""
    title = name.strip()
    if not 0 < len(title) <= LONGEST:
        raise BadInput("The name of a view", f"have 1 to {LONGEST} characters", len(title), "this view", "Type a short name")
    views.save(ws, title, {"map": view.name, "run": view.run_id, "colouring": view.colouring, "target": view.target, "filters": view.filters.settings(),
                         "caught": None if view.caught is None else condensed(view.caught)}, annotator)


def view_names(ws: Workspace) -> list[str]:
    """The saved views, newest first."""
    return views.frame(ws)["name"].tolist()


def open_view(ws: Workspace, name: str) -> View:
    """A saved view; raises `NotFound`."""
    kept = views.load(ws, name)
    return View(kept["map"], kept["run"], kept["colouring"], kept["target"], Filters.of(kept["filters"]), restored(kept["caught"]) if kept.get("caught") is not None else None)


def remove_view(ws: Workspace, name: str) -> None:
    """Forget a saved view."""
    views.remove(ws, name)


def condensed(ids: tuple[int, ...]) -> str:
    """Object ids as a short text: the steps from each to the next, compressed; their order is not kept.

    >>> restored(condensed((9, 3, 200_000)))
    (3, 9, 200000)
    """
    steps = np.diff(np.unique(np.array(ids, np.int64)), prepend=0)
    return base64.b64encode(zlib.compress(steps.astype("<i8").tobytes(), 9)).decode("ascii")


def restored(text: str) -> tuple[int, ...]:
    """The ids that `condensed` was given, ascending."""
    return tuple(np.cumsum(np.frombuffer(zlib.decompress(base64.b64decode(text)), "<i8")).tolist())
