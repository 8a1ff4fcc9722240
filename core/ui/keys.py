"""The keys of the labelling desk: the one table that the component, the overlay and the README read."""

from dataclasses import dataclass

SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", "Backspace": "⌫", "Enter": "Enter", "Escape": "Esc", "Shift+ArrowLeft": "Shift ←", "Shift+ArrowRight": "Shift →"}
"""How a key that has no glyph is written."""


@dataclass(frozen=True)
class Key:
    """A thing that keys do.

    Attributes
    ----------
    action : what the component calls it. keys : as ``KeyboardEvent.key`` names them, "Shift+" before an arrow with Shift.
    sentence : for a person. group : heading in the overlay. repeats : whether holding the key goes on doing it.
    """

    action: str
    keys: tuple[str, ...]
    sentence: str
    group: str
    repeats: bool = False

    @property
    def label(self) -> str:
        """The keys as a person reads them.

        >>> Key("undo", ("Backspace",), "", "").label
        '⌫'
        """
        return " ".join(SHOWN.get(k, k) for k in self.keys)


DECIDE, REDSHIFT, LOOK, GO = "Decide", "Redshift", "Look", "Go"
KEYS = (
    Key("grade-4", ("4",), "Certain: save and go on", DECIDE),
    Key("grade-3", ("3",), "Probable: save and go on", DECIDE),
    Key("grade-2", ("2",), "Possible: save and go on", DECIDE),
    Key("grade-1", ("1",), "A guess: save and go on", DECIDE),
    Key("cannot", ("0",), "No redshift can be told", DECIDE),
    Key("star", ("6",), "A star", DECIDE),
    Key("skip", ("x",), "Skip, with a reason", DECIDE),
    Key("flag", ("f",), "Flag an issue, apart from the grade", DECIDE),
    Key("comment", (";",), "Comment on the decision, in standard words or your own", DECIDE),
    Key("catalogue", ("k",), "Take every value from the catalogue", DECIDE),
    Key("undo", ("Backspace",), "Undo the last act and go back to it", DECIDE),
    Key("accept", ("Enter",), "Take the model's redshift", REDSHIFT),
    Key("candidate-next", ("o",), "Next candidate", REDSHIFT),
    Key("candidate-previous", ("i",), "Previous candidate", REDSHIFT),
    Key("nudge-down", ("ArrowLeft",), "Nudge z down", REDSHIFT, repeats=True),
    Key("nudge-up", ("ArrowRight",), "Nudge z up", REDSHIFT, repeats=True),
    Key("nudge-down-fine", ("Shift+ArrowLeft",), "Nudge z down, a tenth as much", REDSHIFT, repeats=True),
    Key("nudge-up-fine", ("Shift+ArrowRight",), "Nudge z up, a tenth as much", REDSHIFT, repeats=True),
    Key("line-next", (".",), "Call the feature under the cursor the next line", REDSHIFT),
    Key("line-previous", (",",), "Call it the previous line", REDSHIFT),
    Key("box", ("z",), "Type a redshift", REDSHIFT),
    Key("rate", ("p",), "Take the star-formation rate that the spectrum tells", REDSHIFT),
    Key("reveal", ("v",), "Reveal what the model predicts", LOOK),
    Key("smooth-more", ("s",), "Smooth more", LOOK, repeats=True),
    Key("smooth-less", ("d",), "Smooth less", LOOK, repeats=True),
    Key("lines", ("l",), "Lines on and off", LOOK),
    Key("frame", ("e",), "Rest or observed wavelengths", LOOK),
    Key("whole", ("w",), "See the whole spectrum again", LOOK),
    Key("next", ("n",), "Next object, nothing saved", GO, repeats=True),
    Key("previous", ("b",), "Back one object", GO, repeats=True),
    Key("again", ("y",), "Look again at what was just graded", GO),
    Key("go", ("/",), "Go to an object by its key or number", GO),
    Key("help", ("?",), "Show these keys", GO),
)


def bindings() -> dict[str, str]:
    """Key -> action.

    >>> bindings()["Backspace"]
    'undo'
    """
    return {key: entry.action for entry in KEYS for key in entry.keys}


def groups() -> dict[str, list[dict]]:
    """Heading -> its keys in order, each ``label`` and ``sentence``: what the overlay shows."""
    found: dict[str, list[dict]] = {}
    for entry in KEYS:
        found.setdefault(entry.group, []).append({"label": entry.label, "sentence": entry.sentence})
    return found


def markdown() -> str:
    """The table for the README."""
    rows = [f"| `{entry.label}` | {entry.sentence} |" for entry in KEYS]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])
