"""Who is shown on a map."""

from dataclasses import asdict, dataclass

import numpy as np

from core.services.exploring.further import annotators, batch_names
from core.services.exploring.states import STATES
from core.services.exploring.table import MapTable
from core.store import Workspace

Range = tuple[float | None, float | None]
OPEN: Range = (None, None)


@dataclass(frozen=True)
class Filters:
    """Conditions that a galaxy must all meet to be shown.

    Attributes
    ----------
    states : of `STATES`. classes, splits, annotators, batches : names, empty = any.
    sn, label, prediction : least and most, None = no bound; a bound hides who has no value.
        ``label`` and ``prediction`` are of the target that is looked at.
    """

    states: tuple[str, ...] = STATES
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    sn: Range = OPEN
    label: Range = OPEN
    prediction: Range = OPEN

    def count(self) -> int:
        """How many conditions beyond the label states are set."""
        names = sum(bool(v) for v in (self.classes, self.splits, self.annotators, self.batches))
        return names + sum(r != OPEN for r in (self.sn, self.label, self.prediction))

    def visible(self, ws: Workspace, table: MapTable, target: str) -> np.ndarray:
        """Who meets them, bool (n,)."""
        c = table.column(target)
        keep = np.ones(len(table), bool) if set(self.states) == set(STATES) else np.isin(table.state, self.states)
        for chosen, names in ((self.classes, table.object_class), (self.splits, table.split)):
            keep &= np.isin(names, chosen) if chosen else True
        for chosen, look_up in ((self.annotators, annotators), (self.batches, batch_names)):
            keep &= np.isin(look_up(ws, table.object_ids), chosen) if chosen else True
        for (low, high), values in ((self.sn, table.sn), (self.label, table.label[:, c]), (self.prediction, table.mean[:, c])):
            keep &= values >= low if low is not None else True
            keep &= values <= high if high is not None else True
        return keep

    def settings(self) -> dict:
        """As JSON can keep it."""
        return {name: list(value) for name, value in asdict(self).items()}

    @classmethod
    def of(cls, settings: dict) -> "Filters":
        """What `settings` gave; conditions that it does not name are open."""
        return cls(**{name: tuple(settings[name]) for name in cls.__dataclass_fields__ if name in settings})
