"""The Review page: disagreements, grades, sharing a batch out."""

import pytest

from core.store import assignments, batches, labels
from tests.pages.reading import fine, press, words
from tests.pages.written import read_redshift


@pytest.mark.parametrize(("tab", "expected"), [
    ("Disagreements", "Only when two people label the same object can they disagree"), ("Look again", "A model disputes it"),
    ("People", "Nobody has labelled by hand yet"), ("Share a batch", "There is no open batch to share out"),
])  # fmt: skip
def test_review_opens_each_tab_and_says_what_to_do_where_nothing_is(app, tiny, tab, expected):
    if tab == "Look again":
        read_redshift(tiny, "oracle", 40, 0.9, source="catalogue")
    test = app(tiny, "review", tab=tab)
    assert fine(test), [e.value for e in (*test.exception, *test.error)]
    assert expected in words(test) + " ".join(o for group in test.button_group for o in group.options)


def test_review_settles_a_disagreement_with_a_button_and_undoes_it(app, tiny):
    read_redshift(tiny, "Annie", 40, 0.22045), read_redshift(tiny, "Cecilia", 40, 0.59976)
    test = app(tiny, "review")
    assert fine(test) and "**1** object on which people disagree" in words(test) and "reads Hα 6565" in words(test)
    test.button(key=f"take_{labels.history(tiny, 40)['id'].iloc[1]}").click().run()
    assert fine(test) and labels.history(tiny, 40)["source"].iloc[-1] == "adjudication" and "Everybody agrees" in words(test)
    test.button(key="review_undo").click().run()
    assert fine(test) and labels.held_back(tiny) == [40]
    test.button(key="nobody_40").click().run()
    assert fine(test) and labels.history(tiny, 40)["action"].tolist()[-2:] == ["retract", "cannot"]


def test_review_shows_how_right_people_are_by_grade(app, tiny):
    for n, i in enumerate((40, 41, 42)):
        read_redshift(tiny, "Annie", i, 0.1, n), read_redshift(tiny, "Cecilia", i, 0.1 + 0.2 * (i == 42), n)
    test = app(tiny, "review", tab="People")
    assert fine(test) and "6 redshifts measured: 6 against other people." in words(test)
    assert test.dataframe[0].value.set_index("annotator").loc["Annie", "decisions"] == 3


def test_review_shares_a_batch_out_and_gives_it_back(app, tiny):
    batch = batches.save(tiny, "first", "random", {}, 7, [{"object_id": i} for i in range(40, 46)])
    read_redshift(tiny, "Annie", 31, 0.1), read_redshift(tiny, "Vera", 32, 0.1)
    test = app(tiny, "review", tab="Share a batch")
    test.multiselect(key="share_people").set_value(["Annie", "Vera"]).run()
    press(test, "Share it out")
    assert fine(test) and assignments.of(tiny, batch).overlap == 2
    assert next(d.value for d in test.dataframe)[["annotator", "share"]].to_numpy().tolist() == [["Annie", 6], ["Vera", 6]]
    test.button(key=f"unshare_{batch}").click().run()
    assert fine(test) and assignments.of(tiny, batch) is None and "everybody sees the whole of each" in words(test)
