"""A previewed batch changed by hand, what is saved of the changes, and the batch as a file."""

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.acquisition.ordering import neighbours_together
from core.errors import BadInput, NotFound
from core.services import assigning, querying
from core.services.querying import Request
from core.store import batches, labels, objects, runs
from tests.conftest import tiny_workspace


@pytest.fixture
def sky(tmp_path):
    """Two hundred objects, a hundred labelled, one run, one map."""
    return tiny_workspace(tmp_path / "sky", n=200)


@pytest.fixture
def shown(sky):
    """Ten galaxies by `k_centre`, two of them the random control."""
    return querying.preview(sky, Request("k_centre", 10, run_id=1, least_sn=0.0, control_share=0.2))


def outside(sky, shown) -> list[int]:
    """Objects of the pool that the batch does not hold."""
    return np.setdiff1d(shown.pool.object_ids, shown.ids).tolist()


def test_without_takes_picks_out_and_measures_the_rest_anew(sky, shown):
    picks = shown.table.query("not control")["object_id"].tolist()
    control = int(shown.table.query("control")["object_id"].iloc[0])
    less = querying.without(shown, [picks[0], control])
    assert less.ids.tolist() == [i for i in shown.ids if i not in (picks[0], control)] and less.table["rank"].tolist() == list(range(8))
    assert set(less.edits.removed) == {picks[0], control} and less.edits.removed_control == 1
    assert less.worth["covered"] < shown.worth["covered"] and less.worth["measured"] == 8
    assert shown.edits.removed == () and len(shown.table) == 10


def test_with_added_puts_them_last_with_a_reason_and_measures_anew(sky, shown):
    first, second = outside(sky, shown)[:2]
    more, left_out = querying.with_added(sky, shown, [second, first], "ada")
    assert left_out == {} and more.ids.tolist() == [*shown.ids, second, first] and more.edits.added == (second, first)
    row = more.table.iloc[-1]
    assert (row["reason"], row["control"], row["rank"], row["chance"]) == ("Added by hand (ada)", False, 11, 1.0) and np.isnan(row["score"])
    alone = querying.preview(sky, replace(shown.request, size=len(shown.pool), control_share=0.0))
    assert row["distance"] == pytest.approx(alone.table.set_index("object_id")["distance"][first])
    assert more.worth["covered"] > shown.worth["covered"] and more.worth["measured"] == 12


def test_with_added_says_who_may_not_be_asked_about_and_why(sky, shown):
    table = objects.frame(sky)
    held = int(table.loc[table["split"] == "test", "id"].iloc[0])
    decided = int(table.loc[(table["split"] == "train") & (table["id"] <= 100), "id"].iloc[0])
    waits, free, flagged = outside(sky, shown)[:3]
    batches.save(sky, "other", "random", {}, 0, [{"object_id": waits}])
    labels.record(sky, [labels.Decision(flagged, "z", "flag", "ada", "c", 1, flags="artefact")])
    more, left_out = querying.with_added(sky, shown, [held, decided, waits, flagged, int(shown.ids[0]), free], "ada")
    assert more.ids.tolist() == [*shown.ids, free]
    assert left_out == {"in the batch already": 1, "kept for calibration and test": 1, "already decided on": 1, "flagged artefact": 1, "waiting in an open batch": 1}
    same, left_out = querying.with_added(sky, shown, [held], "ada")
    assert same is shown and left_out == {"kept for calibration and test": 1}


def test_with_added_may_ask_about_what_the_strategy_would_not(sky):
    shown = querying.preview(sky, Request("k_centre", 3, run_id=1, least_sn=8.0))
    table = objects.frame(sky)
    faint = int(table.loc[(table["split"] == "train") & (table["id"] > 100) & (table["sn"] < 8), "id"].iloc[0])
    more, left_out = querying.with_added(sky, shown, [faint], "ada")
    assert not left_out and more.ids[-1] == faint and np.isnan(more.table["chance"].iloc[-1]) and more.worth["measured"] == 3


def test_taking_out_what_was_added_by_hand_leaves_no_trace(sky, shown):
    more, _ = querying.with_added(sky, shown, outside(sky, shown)[:1], "ada")
    back = querying.without(more, more.edits.added)
    assert back.edits == shown.edits and back.worth == shown.worth and back.ids.tolist() == shown.ids.tolist()


@pytest.mark.parametrize(("where", "expected"), [
    ("up", [1, 0, 3, 4, 2, 5, 6, 7, 8, 9]), ("down", [0, 2, 1, 5, 3, 4, 6, 7, 8, 9]), ("top", [1, 3, 4, 0, 2, 5, 6, 7, 8, 9]), ("bottom", [0, 2, 5, 6, 7, 8, 9, 1, 3, 4])])
def test_moved_shifts_picks_together(shown, where, expected):
    after = querying.moved(shown, shown.ids[[1, 3, 4]], where)
    assert after.ids.tolist() == shown.ids[expected].tolist() and after.table["rank"].tolist() == list(range(10))
    assert after.edits.order == "by hand" and after.worth == pytest.approx(shown.worth)


def test_moved_up_at_the_top_and_down_at_the_bottom_change_nothing(shown):
    assert querying.moved(shown, shown.ids[:2], "up").ids.tolist() == shown.ids.tolist()
    assert querying.moved(shown, shown.ids[-2:], "down").ids.tolist() == shown.ids.tolist()


def test_ordered_puts_the_largest_first_and_the_control_keeps_its_places(sky, shown):
    by_score = querying.ordered(sky, querying.moved(shown, shown.ids[[5]], "top"), "score").table
    assert by_score["score"].dropna().is_monotonic_decreasing and by_score.query("control").index.tolist() == querying.moved(shown, shown.ids[[5]], "top").table.query("control").index.tolist()
    sn = objects.frame(sky).set_index("id")["sn"]
    assert sn.loc[querying.ordered(sky, shown, "sn").ids].is_monotonic_decreasing
    z = runs.load_arrays(sky, 1, "predictions")["mean"][:, 0]
    by_z = querying.ordered(sky, shown, "prediction")
    assert (np.diff(z[by_z.ids - 1]) <= 0).all() and by_z.edits.order == "by prediction"
    place = objects.frame(sky, shown.ids)
    assert querying.ordered(sky, shown, "sky").ids.tolist() == shown.ids[neighbours_together(place["ra"].to_numpy(), place["dec"].to_numpy())].tolist()
    with pytest.raises(BadInput, match="The order of a batch must be one of score, sn, prediction, sky; got size"):
        querying.ordered(sky, shown, "size")


def test_filled_takes_the_next_best_control_for_control_and_never_what_was_taken_out(sky, shown):
    picks, control = shown.table.query("not control")["object_id"].tolist(), shown.table.query("control")["object_id"].tolist()
    out = [*picks[:3], control[0]]
    full = querying.filled(querying.without(shown, out))
    assert len(full.table) == 10 and full.table["object_id"].is_unique and not np.isin(out, full.ids).any()
    assert full.ids[:6].tolist() == [i for i in shown.ids if i not in out] and full.table["control"].sum() == 2
    assert full.table["reason"].iloc[6:].str.startswith(("The farthest that was left", "Random control")).all() and full.table["distance"].gt(0).all()
    again = querying.filled(querying.without(full, full.ids[-1:]))
    assert not np.isin([*out, full.ids[-1]], again.ids).any() and len(again.table) == 10
    with pytest.raises(BadInput, match="A batch that is filled up must hold fewer than the 10 that were asked for; got 10"):
        querying.filled(shown)


def test_submit_keeps_the_order_the_reasons_and_what_was_changed_by_hand(sky, shown):
    less = querying.without(shown, shown.table.query("control")["object_id"].head(1))
    more, _ = querying.with_added(sky, less, outside(sky, shown)[:1], "ada")
    last = querying.moved(more, more.edits.added, "top")
    batch_id = querying.submit(sky, last, "by hand", "ada")
    by_hand = json.loads(querying.batch_list(sky)["parameters"].iloc[0])["by hand"]
    assert by_hand == {"removed": list(less.edits.removed), "added": list(more.edits.added), "removed_control": 1, "order": "by hand"}
    items = batches.items(sky, batch_id)
    assert items["object_id"].tolist() == last.ids.tolist() and items["reason"].iloc[0] == "Added by hand (ada)" and items["control"].sum() == 1
    with pytest.raises(BadInput, match="A batch must hold at least one galaxy"):
        querying.submit(sky, querying.without(shown, shown.ids), "nothing")


def test_export_holds_rows_by_rank_with_predictions_below_where_they_come_from(sky, shown):
    batch_id = querying.submit(sky, shown, "for a colleague", "ada")
    made = querying.export(sky, batch_id).decode()
    head = dict(line[2:].split(": ", 1) for line in made.splitlines() if line.startswith("# "))
    table = pd.read_csv(io.StringIO(made), comment="#")
    assert (head["name"], head["strategy"], head["run_id"], head["annotator"]) == ("for a colleague", "k_centre", "1", "ada")
    assert json.loads(head["parameters"])["pool"] == len(shown.pool)
    assert head["sha256 of the rows"] == hashlib.sha256(made[made.index("rank,key") :].encode()).hexdigest()
    assert table["object_id"].tolist() == shown.ids.tolist() and table["control"].sum() == 2 and table["score"].isna().sum() == 2
    known, saved = objects.frame(sky, shown.ids), runs.load_arrays(sky, 1, "predictions")
    assert table["key"].tolist() == known["key"].tolist() and table["dec"].tolist() == pytest.approx(known["dec"].tolist())
    assert table["z_predicted"].tolist() == pytest.approx(saved["mean"][shown.ids - 1, 0].tolist())
    assert table["sfr_tot_median_epistemic"].tolist() == pytest.approx(np.sqrt(saved["epistemic"][shown.ids - 1, 3]).tolist())


def test_export_without_a_run_leaves_predictions_out_and_a_batch_that_is_not_there_is_refused(sky):
    shown = querying.preview(sky, Request("random", 3, least_sn=0.0))
    table = pd.read_csv(io.BytesIO(querying.export(sky, querying.submit(sky, shown, "plain"))), comment="#")
    assert len(table) == 3 and not [c for c in table if c.endswith("_predicted")]
    with pytest.raises(NotFound, match="There is no batch 99"):
        querying.export(sky, 99)


def test_batch_list_says_for_whom_a_batch_is(sky, shown):
    first, second = (querying.submit(sky, shown, name) for name in ("one", "two"))
    assigning.assign(sky, first, ["bob", "ada"], 1, "ann")
    assert querying.batch_list(sky).set_index("id")["people"].to_dict() == {second: "everybody", first: "ada, bob"}


def test_a_closed_batch_can_be_opened_again(sky, shown):
    batch_id = querying.submit(sky, shown, "once")
    batches.close(sky, batch_id)
    assert querying.batch_list(sky)["status"].iloc[0] == "closed" and querying.pool(sky, shown.request).counts["waiting in an open batch"] == 0
    batches.reopen(sky, batch_id)
    assert querying.batch_list(sky)["status"].iloc[0] == "open" and querying.pool(sky, shown.request).counts["waiting in an open batch"] == 10
