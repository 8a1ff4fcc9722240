"""Batches shared out among people: fair, the same by seed, known answers mixed in, blind."""

import numpy as np
import pytest

from core.errors import BadInput, NotFound
from core.services import assigning, labelling
from core.store import assignments, batches, labels, objects, truth
from core.store.labels import Decision

PEOPLE = ("Annie", "Cecilia", "Vera")


def decide(ws, who, object_id, sequence, z=0.1, **more):
    return labels.record(ws, [Decision(object_id, "z", "label", who, f"c-{who}", sequence, value=z, grade=4, **more)])[0]


@pytest.fixture
def batch(tiny):
    """Ten unlabelled objects of the train split, best first."""
    table = objects.frame(tiny)
    ids = table.loc[(table["id"] > 30) & (table["split"] == "train"), "id"].tolist()[:10]
    return batches.save(tiny, "first", "random", {}, 7, [{"object_id": i, "reason": f"reason {i}"} for i in ids[::-1]])


@pytest.mark.parametrize(("n", "people", "overlap"), [(10, 3, 2), (10, 3, 1), (7, 5, 3), (1, 4, 2), (20, 3, 3), (0, 2, 1)])
def test_deal_gives_each_object_to_as_many_people_as_asked_and_nobody_more_than_one_more(n, people, overlap):
    hands = assigning.deal(n, people, overlap, np.random.default_rng(4))
    assert np.bincount(np.concatenate(hands), minlength=n).tolist() == [overlap] * n
    assert all(len(np.unique(hand)) == len(hand) for hand in hands) and max(map(len, hands)) - min(map(len, hands)) <= 1


def test_deal_lets_everybody_meet_everybody():
    hands = assigning.deal(60, 4, 2, np.random.default_rng(0))
    shared = [len(np.intersect1d(hands[i], hands[j])) for i in range(4) for j in range(i)]
    assert sum(shared) == 60 and min(shared) > 3


def test_assign_is_the_same_by_seed_and_keeps_the_order_of_the_batch(tiny, batch):
    made = assigning.assign(tiny, batch, PEOPLE, 2, "Judge", seed=5)
    first = assignments.items(tiny, batch)
    assigning.assign(tiny, batch, PEOPLE, 2, "Judge", seed=5)
    assert assignments.items(tiny, batch).equals(first) and assignments.of(tiny, batch) == made
    assigning.assign(tiny, batch, PEOPLE, 2, "Judge", seed=6)
    assert not assignments.items(tiny, batch).equals(first)
    rank = batches.items(tiny, batch).set_index("object_id")["rank"]
    assert all(rank[assignments.items(tiny, batch, who)["object_id"]].is_monotonic_increasing for who in PEOPLE)


def test_assign_refuses_what_cannot_be(tiny, batch):
    with pytest.raises(BadInput, match="overlap must be from 1 to 2, the number of people; got 3"):
        assigning.assign(tiny, batch, ["Annie", "Vera"], 3, "Judge")
    with pytest.raises(BadInput, match="people must be named, each once; got Annie twice"):
        assigning.assign(tiny, batch, ["Annie", " Annie"], 1, "Judge")
    with pytest.raises(BadInput, match="people must be named, each once; got nobody"):
        assigning.assign(tiny, batch, [" "], 1, "Judge")
    with pytest.raises(BadInput, match="share of known answers must be from 0 to 1; got 2"):
        assigning.assign(tiny, batch, ["Annie"], 1, "Judge", gold_share=2)
    with pytest.raises(NotFound, match="no batch 99"):
        assigning.assign(tiny, 99, ["Annie"], 1, "Judge")


def test_queue_shows_a_person_their_share_without_reasons_and_others_nothing(tiny, batch):
    assigning.assign(tiny, batch, PEOPLE, 2, "Judge")
    share = labelling.queue(tiny, str(batch), annotator="Vera")
    assert share.ids.tolist() == assignments.items(tiny, batch, "Vera")["object_id"].tolist() and share.batch_id == batch and not share.reasons
    assert labelling.sources(tiny, annotator="Vera")[str(batch)] == f"Batch {batch} · first · your {len(share)} objects"
    assert labelling.sources(tiny, annotator="Bob")[str(batch)] == f"Batch {batch} · first · 10 objects"
    stranger = labelling.queue(tiny, str(batch), annotator="Bob")
    assert len(stranger) == 0 and "shared out among Annie, Cecilia, Vera, and nothing of it is yours, Bob" in stranger.sentence
    assigning.withdraw(tiny, batch)
    assert len(labelling.queue(tiny, str(batch), annotator="Bob")) == 10


def test_share_is_done_by_its_own_person_and_the_batch_when_everybody_is(tiny, batch):
    assigning.assign(tiny, batch, ["Annie", "Vera"], 2, "Judge")
    queue = labelling.queue(tiny, str(batch), annotator="Vera")
    for n, i in enumerate(queue.ids.tolist()):
        decide(tiny, "Annie", i, n, batch_id=batch)
    assert labelling.states(tiny, queue, "Vera") == {} and batches.frame(tiny)["done"].tolist() == [0]
    assert labelling.default_source(tiny, "Vera") == str(batch) and labelling.default_source(tiny, "Annie") == labelling.UNLABELLED
    decide(tiny, "Vera", int(queue.ids[0]), 1, batch_id=batch)
    assert labelling.states(tiny, queue, "Vera") == {int(queue.ids[0]): "label"} and batches.frame(tiny)["done"].tolist() == [1]
    assert assigning.shares(tiny)[["annotator", "share", "done", "left"]].to_numpy().tolist() == [["Annie", 10, 10, 0], ["Vera", 10, 1, 9]]


def test_second_label_is_blind_until_the_own_decision_stands(tiny, batch):
    assigning.assign(tiny, batch, ["Annie", "Vera"], 2, "Judge")
    object_id = int(labelling.queue(tiny, str(batch), annotator="Vera").ids[0])
    decide(tiny, "Annie", object_id, 1)
    assert labelling.is_blind(tiny, object_id, "Vera") and labelling.history(tiny, object_id, "Vera").empty
    row = decide(tiny, "Vera", object_id, 1, 0.4)
    assert not labelling.is_blind(tiny, object_id, "Vera") and labelling.history(tiny, object_id)["annotator"].tolist() == ["Vera", "Annie"]
    labels.retract(tiny, row, "Vera", "c-Vera", 2)
    assert labelling.is_blind(tiny, object_id, "Vera")
    batches.close(tiny, batch)
    assert not labelling.is_blind(tiny, object_id, "Vera")


def test_nobody_is_blind_to_what_was_not_assigned_to_them(tiny, batch):
    assigning.assign(tiny, batch, ["Annie"], 1, "Judge")
    assert not labelling.is_blind(tiny, 1, "Annie") and not labelling.is_blind(tiny, int(batches.items(tiny, batch)["object_id"].iloc[0]), "Bob")


def test_known_answers_are_mixed_in_at_the_share_and_look_like_any_other(tiny, batch):
    assigning.assign(tiny, batch, PEOPLE, 3, "Judge", seed=1, gold_share=0.2)
    known = truth.frame(tiny).query("target == 'z'").set_index("object_id")["value"]
    for who in PEOPLE:
        share = assignments.items(tiny, batch, who)
        gold = share.dropna(subset="gold")
        assert len(share) == 12 and gold["gold"].tolist() == known[gold["object_id"]].tolist()
        assert not set(gold["object_id"]) & set(batches.items(tiny, batch)["object_id"]) and set(objects.frame(tiny, gold["object_id"])["split"]) == {"train"}
        assert set(labelling.queue(tiny, str(batch), annotator=who).ids.tolist()) == set(share["object_id"])
    places = [assignments.items(tiny, batch, who).dropna(subset="gold")["place"].tolist() for who in PEOPLE]
    assert len({tuple(p) for p in places}) > 1 and batches.frame(tiny)["size"].tolist() == [10]


def test_known_answers_prefer_an_adjudication_and_leave_out_what_a_person_has_decided(tiny, batch):
    table = objects.frame(tiny)
    first, second = table.loc[(table["split"] == "train") & (table["id"] <= 30), "id"].tolist()[:2]
    decide(tiny, "Judge", first, 1, 0.77, source=labels.ADJUDICATION)
    decide(tiny, "Annie", second, 1)
    available = assigning.gold_available(tiny, batch, PEOPLE)
    assert available[first] == 0.77 and second not in available
    with pytest.raises(BadInput, match="known answers must number at least"):
        with tiny.write() as db:
            db.conn.execute("DELETE FROM truth")
        assigning.assign(tiny, batch, PEOPLE, 1, "Judge", gold_share=1)


def test_known_answer_is_told_after_the_grade_only_where_that_was_asked_for(tiny, batch):
    for tells in (True, False):
        assigning.assign(tiny, batch, ["Annie"], 1, "Judge", gold_share=0.1, tells_gold=tells)
        gold = assignments.items(tiny, batch, "Annie").dropna(subset="gold").iloc[0]
        plain = int(assignments.items(tiny, batch, "Annie").query("gold != gold")["object_id"].iloc[0])
        events = [{"kind": "grade", "object": i, "batch": batch, "z": gold["gold"]} for i in (int(gold["object_id"]), plain)]
        said = assigning.told(tiny, "Annie", [*events, {"kind": "skip", "object": int(gold["object_id"]), "batch": batch}, {"kind": "grade", "object": plain, "batch": None}])
        assert said == ([f"The answer to the last one was known: z {gold['gold']:.5f}, you agree with it (0 km/s apart)."] if tells else [])
