"""The Explore page: views by their address."""

from core.services import exploring
from tests.pages.reading import fine


def test_explore_opens_a_view_by_its_address_and_says_when_it_is_gone(app, tiny):
    exploring.save_view(tiny, "mine", exploring.View("a map that was", 1, "sn", "z", exploring.Filters(sn=(5.0, None))), "ann")
    test = app(tiny, "explore", view="mine")
    assert fine(test) and test.selectbox(key="explore_colour").value == "sn" and test.number_input(key="explore_sn_least").value == 5.0
    assert [w.value for w in test.warning] == ["The map of this view is no longer here; the rest of it is shown."]
    exploring.save_view(tiny, "stale", exploring.View("pca image", 99, "column:that_was", "mass", exploring.Filters(annotators=("who left",))), "ann")
    stale = app(tiny, "explore", view="stale")
    assert fine(stale) and [w.value for w in stale.warning] == ["The model run and the colouring and the target of this view are no longer here; the rest of it is shown."]
    assert stale.selectbox(key="explore_colour").value == "state" and stale.multiselect(key="explore_annotators").value == ["who left"]
    gone = app(tiny, "explore", view="yours")
    assert fine(gone) and gone.warning[0].value.startswith("There is no saved view named yours") and gone.selectbox(key="explore_name").value == "pca image"
