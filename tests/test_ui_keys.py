"""One table of keys; the component's script and markup agree with it."""

import re
from collections import Counter
from pathlib import Path

from core.ui import keys
from core.ui.keys import KEYS

DESK = Path(keys.__file__).parent / "spectrum"
RESERVED_BY_STREAMLIT = {"c", "r"}


def test_no_key_does_two_things():
    counted = Counter(key for entry in KEYS for key in entry.keys)
    assert max(counted.values()) == 1
    assert len({entry.action for entry in KEYS}) == len(KEYS)
    assert not RESERVED_BY_STREAMLIT & set(counted)


def test_every_action_is_done_by_the_component():
    script = (DESK / "actions.js").read_text()
    done = set(re.findall(r'^\s{4}"?([a-z0-9-]+)"?: (?:\(\) =>|looked\()', script, re.M)) | set(re.findall(r'[,{] "([a-z0-9-]+)": \(\) =>', script))
    done |= set(re.findall(r"\b(previous): \(\) =>", script))
    assert {entry.action for entry in KEYS} - done == set()


def test_every_button_names_an_action():
    named = set(re.findall(r'data-do="([a-z0-9-]+)"', "".join((DESK / f"{name}.html").read_text() for name in ("desk", "rate"))))
    assert named - {entry.action for entry in KEYS} == {"noise", "rate-save", "rate-clear"}


def test_holding_a_grade_key_grades_once():
    assert not any(entry.repeats for entry in KEYS if entry.group == keys.DECIDE)


def test_markdown_has_a_row_for_every_key():
    rows = keys.markdown().splitlines()
    assert len(rows) == len(KEYS) + 2 and "| `⌫` | Undo the last act and go back to it |" in rows
    assert sum(len(group) for group in keys.groups().values()) == len(KEYS)
