"""The last place of each annotator."""

from core.store import places


def test_place_is_the_last_one_put_and_each_annotators_own(tiny):
    places.put(tiny, "Annie", "unlabelled", 3)
    places.put(tiny, "Cecilia", "held-out", 4)
    places.put(tiny, "Annie", "7", 5)
    assert places.get(tiny, "Annie") == ("7", 5) and places.get(tiny, "Cecilia") == ("held-out", 4) and places.get(tiny, "Henrietta") is None
