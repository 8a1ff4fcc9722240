"""Whom the labelling desk asks about, in which order."""

import pytest

from core.errors import BadInput, NotFound
from core.services import labelling
from core.store import batches, objects, runs
from tests.desk import WHO, event


def test_queue_of_batch_keeps_rank_and_reasons(tiny, batch):
    queue = labelling.queue(tiny, str(batch))
    assert queue.ids.tolist() == [50, 40, 45, 33, 31]
    assert queue.batch_id == batch and queue.reasons[45] == "reason 45"


def test_queue_of_unlabelled_takes_most_ignorance_first(tiny):
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET sn = 9")
    ids = labelling.queue(tiny, labelling.UNLABELLED).ids
    table = objects.frame(tiny).set_index("id")
    arrays = runs.load_arrays(tiny, runs.latest(tiny), "predictions")
    ignorance = dict(zip(arrays["object_ids"].tolist(), arrays["epistemic"][:, 0], strict=True))
    values = [ignorance[i] for i in ids.tolist()]
    assert values == sorted(values, reverse=True)
    assert set(ids.tolist()) == {i for i in range(31, 61) if table.loc[i, "split"] == "train"}


def test_queue_of_unlabelled_has_faint_spectra_and_none_last(tiny):
    with tiny.write() as db:
        db.conn.execute("UPDATE objects SET sn = 9")
    first = labelling.queue(tiny, labelling.UNLABELLED).ids.tolist()
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality = 'spectrum' AND object_id = ?", (first[0],))
        db.conn.execute("UPDATE objects SET sn = 1 WHERE id = ?", (first[1],))
    queue = labelling.queue(tiny, labelling.UNLABELLED)
    assert queue.ids.tolist() == [*first[2:], *first[:2]] and "faint spectra and none last" in queue.sentence


def test_queue_of_held_out_does_not_follow_uncertainty(tiny):
    ids = labelling.queue(tiny, labelling.HELD_OUT).ids
    assert set(objects.frame(tiny, ids)["split"]) <= {"calibration", "test"}
    assert ids.tolist() == labelling.queue(tiny, labelling.HELD_OUT).ids.tolist() != sorted(ids.tolist())


def test_queue_leaves_out_what_somebody_decided(tiny):
    first = int(labelling.queue(tiny, labelling.UNLABELLED).ids[0])
    labelling.apply_events(tiny, "Cecilia", [event(1, first, "cannot")])
    assert first not in labelling.queue(tiny, labelling.UNLABELLED).ids


def test_suggestions_are_chosen_anew_behind_what_is_touched_and_what_is_on_the_page(tiny):
    first = labelling.queue(tiny, labelling.SUGGESTED, annotator=WHO)
    a, b, c = first.ids.tolist()
    assert labelling.refreshed(tiny, first, WHO, None).ids.tolist() == [a, b, c] and "run 1" in first.sentence and set(first.reasons) == {a, b, c}
    labelling.apply_events(tiny, WHO, [event(1, a), event(2, b, "skip")])
    second = labelling.refreshed(tiny, first, WHO, c)
    assert second.ids.tolist()[:3] == [a, b, c] and len(set(second.ids.tolist())) == 6 and set(second.ids.tolist()) <= set(second.reasons)
    labelling.apply_events(tiny, WHO, [event(3, a, "undo", undoes={"client": "c1", "sequence": 1})])
    back = labelling.refreshed(tiny, second, WHO, b)
    assert back.ids.tolist()[:2] == [b, c] and len(back) == 5
    batch_like = labelling.queue(tiny, labelling.UNLABELLED)
    assert labelling.refreshed(tiny, batch_like, WHO, int(batch_like.ids[0])) is batch_like


def test_suggestions_that_came_to_the_desk_are_written_down_with_why_and_wait_for_nobody(tiny):
    queue = labelling.queue(tiny, labelling.SUGGESTED, annotator=WHO)
    asked = queue.ids.tolist()[:2]
    for k in range(3):
        labelling.apply_events(tiny, WHO, [event(k + 1, int(queue.ids[k]), batch=queue.batch_id)])
        queue = labelling.refreshed(tiny, queue, WHO, int(queue.ids[k + 1]))
        asked.append(int(queue.ids[k + 2]))
    items, kept = batches.items(tiny, queue.batch_id), batches.frame(tiny).iloc[0]
    assert items["object_id"].tolist() == asked and items["reason"].str.endswith("(run 1)").all() and items["rank"].tolist() == list(range(5))
    assert (kept["name"], kept["strategy"], kept["status"], kept["done"], kept["size"]) == ("Suggested one by one", "epistemic_sampled", "closed", 3, 5)
    assert labelling.default_source(tiny, WHO) == labelling.UNLABELLED
    assert labelling.queue(tiny, labelling.SUGGESTED, annotator="Cecilia").batch_id == queue.batch_id


def test_suggestions_without_a_run_say_what_is_missing(ws):
    empty = labelling.queue(ws, labelling.SUGGESTED)
    assert not len(empty) and "train a model first" in empty.sentence


def test_queue_of_no_known_source_is_refused_with_choices(tiny):
    with pytest.raises(BadInput, match="queue must be a batch's number, suggested, unlabelled, held-out, skipped, decided or selection; got x"):
        labelling.queue(tiny, "x")
    with pytest.raises(NotFound, match="no batch 99"):
        labelling.queue(tiny, "99")


def test_sources_name_open_batches_then_selection(tiny, batch):
    assert list(labelling.sources(tiny, 3)) == [str(batch), labelling.SELECTION, labelling.SUGGESTED, labelling.UNLABELLED, labelling.HELD_OUT]
    assert labelling.default_source(tiny) == str(batch)
    batches.close(tiny, batch)
    assert labelling.default_source(tiny) == labelling.UNLABELLED


def test_skipped_objects_come_back_in_a_queue_of_their_own_with_the_reason(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 50, "skip", words="too faint"), event(2, 40, "skip"), event(3, 45, "skip"), event(4, 45)])
    labelling.apply_events(tiny, "Cecilia", [event(1, 33, "skip")])
    again = labelling.queue(tiny, labelling.SKIPPED, annotator=WHO)
    assert again.ids.tolist() == [50, 40] and again.reasons[50].endswith(": too faint") and again.reasons[40].startswith("skipped 20")
    assert labelling.sources(tiny, annotator=WHO)[labelling.SKIPPED] == "Skipped, to look at again · 2 objects"
    assert labelling.SKIPPED not in labelling.sources(tiny, annotator="Henrietta")
    labelling.apply_events(tiny, WHO, [event(5, 50, "cannot"), event(6, 45, "undo", undoes={"client": "c1", "sequence": 4})])
    assert labelling.queue(tiny, labelling.SKIPPED, annotator=WHO).ids.tolist() == [40, 45]


def test_decided_objects_come_newest_first(tiny):
    labelling.apply_events(tiny, WHO, [event(1, 50), event(2, 40, "cannot"), event(3, 50, grade=2), event(4, 33, "skip")])
    assert labelling.queue(tiny, labelling.DECIDED, annotator=WHO).ids.tolist() == [50, 40]
    assert labelling.sources(tiny, annotator=WHO)[labelling.DECIDED] == "What I have decided, newest first · 2 objects"


def test_new_session_goes_on_where_the_last_one_was(tiny, batch):
    assert labelling.resume(tiny, WHO) is None
    labelling.remember(tiny, WHO, str(batch), 45)
    labelling.remember(tiny, "Cecilia", labelling.HELD_OUT, 3)
    assert labelling.resume(tiny, WHO) == (str(batch), 45)
    labelling.apply_events(tiny, WHO, [event(9, 45, "skip")])
    assert labelling.resume(tiny, WHO) == (str(batch), None)
    labelling.apply_events(tiny, WHO, [event(1, 45)])
    assert labelling.resume(tiny, WHO) == (str(batch), None)
    batches.close(tiny, batch)
    assert labelling.resume(tiny, WHO) is None and labelling.resume(tiny, "Cecilia") == (labelling.HELD_OUT, 3)


def test_guidelines_of_the_workspace_go_before_the_house_ones(tiny):
    assert "**4** certain" in labelling.guidelines(tiny)
    (tiny.path / "guidelines.md").write_text("Grade 4 needs three lines.")
    assert labelling.guidelines(tiny) == "Grade 4 needs three lines."
