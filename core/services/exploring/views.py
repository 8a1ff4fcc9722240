"""Saved views: a map as somebody looked at it, under a name that can be sent as a link."""

from dataclasses import dataclass, field

from core.errors import BadInput
from core.services.exploring.filters import Filters
from core.store import Workspace, views

LONGEST = 60


@dataclass(frozen=True)
class View:
    """What a person has set: map, run, colouring, target and who is shown."""

    name: str
    run_id: int | None
    colouring: str
    target: str
    filters: Filters = field(default_factory=Filters)


def save_view(ws: Workspace, name: str, view: View, annotator: str) -> None:
    """Keep a view under a name; one of the same name is replaced. Raises `BadInput` for no name or a long one."""
    title = name.strip()
    if not 0 < len(title) <= LONGEST:
        raise BadInput("The name of a view", f"have 1 to {LONGEST} characters", len(title), "this view", "Type a short name")
    views.save(ws, title, {"map": view.name, "run": view.run_id, "colouring": view.colouring, "target": view.target, "filters": view.filters.settings()}, annotator)


def view_names(ws: Workspace) -> list[str]:
    """The saved views, newest first."""
    return views.frame(ws)["name"].tolist()


def open_view(ws: Workspace, name: str) -> View:
    """A saved view; raises `NotFound`."""
    kept = views.load(ws, name)
    return View(kept["map"], kept["run"], kept["colouring"], kept["target"], Filters.of(kept["filters"]))


def remove_view(ws: Workspace, name: str) -> None:
    """Forget a saved view."""
    views.remove(ws, name)
