"""The keys of the labelling desk: the one table that the component, the overlay and the README read.

A workspace may have keys of its own, in a file that names only what differs:

    next = "m"
    grade-4 = ["4", "a"]
    catalogue = []
"""

import tomllib
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import BadInput

FILE = "keys.toml"
"""In the folder of the workspace."""
TAKEN = {"Escape": "leaves a field or a sheet", "c": "is the page's own", "r": "is the page's own"}
"""Keys that can do nothing else, and why: Streamlit listens to C and R."""
SHOWN = {"ArrowLeft": "←", "ArrowRight": "→", "Backspace": "⌫", "Enter": "⏎", "Escape": "Esc", "Shift+ArrowLeft": "Shift ←", "Shift+ArrowRight": "Shift →"}
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
    Key("refit", ("u",), "Fit again around this redshift", REDSHIFT),
    Key("line-next", (".",), "Call the feature under the cursor the next line", REDSHIFT),
    Key("line-previous", (",",), "Call it the previous line", REDSHIFT),
    Key("box", ("z",), "Type a redshift", REDSHIFT),
    Key("rate", ("p",), "Take the star-formation rate that the spectrum tells", REDSHIFT),
    Key("reveal", ("v",), "Reveal what the model predicts", LOOK),
    Key("smooth-more", ("s",), "Smooth more", LOOK, repeats=True),
    Key("smooth-less", ("d",), "Smooth less", LOOK, repeats=True),
    Key("template", ("t",), "Template fit at this redshift on and off", LOOK),
    Key("ghosts", ("g",), "Lines of the other candidates on and off", LOOK),
    Key("lines", ("l",), "Lines on and off", LOOK),
    Key("noise", ("a",), "Noise on and off", LOOK),
    Key("frame", ("e",), "Rest or observed wavelengths", LOOK),
    Key("whole", ("w",), "See the whole spectrum again", LOOK),
    Key("next", ("n",), "Next object, nothing saved", GO, repeats=True),
    Key("previous", ("b",), "Back one object", GO, repeats=True),
    Key("again", ("y",), "Look again at what was just graded", GO),
    Key("go", ("/",), "Go to an object by its key or number", GO),
    Key("help", ("?",), "Show these keys", GO),
)


def table(folder: Path) -> tuple[Key, ...]:
    """`KEYS` as a workspace wants them.

    Parameters
    ----------
    folder : of the workspace; without a file called `FILE` in it the keys are those of `KEYS`.

    Raises
    ------
    BadInput for a file that is no TOML, an action or a key that there is not, and a key that would do two things.
    """
    path = Path(folder) / FILE
    own = {action: _named(action, keys, path) for action, keys in _read(path).items()}
    chosen = tuple(replace(entry, keys=own.get(entry.action, entry.keys)) for entry in KEYS)
    twice = [key for key, count in Counter(key for entry in chosen for key in entry.keys).items() if count > 1]
    if twice:
        actions = " and ".join(entry.action for entry in chosen if twice[0] in entry.keys)
        raise BadInput(f"the key {twice[0]!r}", "do one thing", actions, str(path), "Give one of them another key there, or [] for none")
    return chosen


def bindings(keys: tuple[Key, ...] = KEYS) -> dict[str, str]:
    """Key -> action.

    >>> bindings()["Backspace"]
    'undo'
    """
    return {key: entry.action for entry in keys for key in entry.keys}


def groups(keys: tuple[Key, ...] = KEYS) -> dict[str, list[dict]]:
    """Heading -> its keys in order, each ``label``, ``sentence`` and ``action``: what the overlay shows."""
    found: dict[str, list[dict]] = {}
    for entry in keys:
        found.setdefault(entry.group, []).append({"label": entry.label or "none", "sentence": entry.sentence, "action": entry.action})
    return found


def markdown() -> str:
    """The table for the README."""
    rows = [f"| `{entry.label}` | {entry.sentence} |" for entry in KEYS]
    return "\n".join(["| key | what it does |", "|---|---|", *rows])


def _read(path: Path) -> dict:
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput("the file of keys", "be TOML, a line an action", error, str(path), 'Write lines like next = "m"') from error


def _named(action: str, keys: object, path: Path) -> tuple[str, ...]:
    """The keys of one line of the file, checked."""
    if action not in {entry.action for entry in KEYS}:
        raise BadInput("an action", f"be one of {', '.join(entry.action for entry in KEYS)}", repr(action), str(path), "Correct its name")
    found = (keys,) if isinstance(keys, str) else tuple(keys) if isinstance(keys, list) else (keys,)
    for key in found:
        if not isinstance(key, str) or not (key in (*SHOWN, *TAKEN) or (len(key) == 1 and key.isprintable() and key != " ")):
            raise BadInput(f"the key of {action}", f"be one character or one of {', '.join(k for k in SHOWN if k not in TAKEN)}", repr(key), str(path), "Choose another")
        if key in TAKEN:
            raise BadInput(f"the key of {action}", "be free", f"{key!r}, which {TAKEN[key]}", str(path), "Choose another")
    return found
