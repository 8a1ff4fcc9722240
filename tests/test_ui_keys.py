"""One table of keys; the component's script and markup agree with it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from core.errors import BadInput
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
    assert named - {entry.action for entry in KEYS} == {"copy", "rate-save", "rate-clear"}


def test_holding_a_grade_key_grades_once():
    assert not any(entry.repeats for entry in KEYS if entry.group == keys.DECIDE)


def test_markdown_has_a_row_for_every_key():
    rows = keys.markdown().splitlines()
    assert len(rows) == len(KEYS) + 2 and "| `⌫` | Undo the last act and go back to it |" in rows
    assert sum(len(group) for group in keys.groups().values()) == len(KEYS)


def written(folder, text):
    (folder / keys.FILE).write_text(text)
    return folder


def test_workspace_without_a_file_has_the_keys_of_the_table(tmp_path):
    assert keys.table(tmp_path) == KEYS


def test_file_names_only_what_differs(tmp_path):
    table = keys.table(written(tmp_path, 'grade-4 = ["4", "j"]\nnext = "m"\nnoise = []\nsmooth-more = "a"\n'))
    bound = keys.bindings(table)
    assert (bound["4"], bound["j"], bound["m"], bound["a"]) == ("grade-4", "grade-4", "next", "smooth-more")
    assert not {"n", "s"} & set(bound) and len(table) == len(KEYS)
    shown = {entry["action"]: entry["label"] for group in keys.groups(table).values() for entry in group}
    assert shown["noise"] == "none" and shown["grade-4"] == "4 j" and shown["undo"] == "⌫"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("next = ", "the file of keys must be TOML, a line an action; got .*keys.toml"),
        ('nxt = "m"', "an action must be one of grade-4, .*; got 'nxt', for .*keys.toml. Correct its name."),
        ('next = "b"', "the key 'b' must do one thing; got next and previous, for .*keys.toml. Give one of them another key there, or \\[\\] for none."),
        ('next = "c"', "the key of next must be free; got 'c', which is the page's own"),
        ('next = "Escape"', "the key of next must be free; got 'Escape', which leaves a field or a sheet"),
        ('next = "Down"', "the key of next must be one character or one of ArrowLeft, .*; got 'Down'"),
        ("next = 4", "the key of next must be one character or one of .*; got 4"),
        ("next = [[]]", "the key of next must be one character or one of .*; got \\[\\]"),
    ],
)
def test_file_that_breaks_a_rule_is_refused_with_file_rule_and_cure(tmp_path, text, said):
    with pytest.raises(BadInput, match=said):
        keys.table(written(tmp_path, text))
