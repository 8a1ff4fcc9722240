"""What a replay says in words, what it is told by, and what it would cost."""

import numpy as np
import pandas as pd
import pytest

from core.services import replaying
from core.services.replaying import Question
from core.services.replaying.summary import COLUMNS
from core.store import jobs
from tests.test_services_replaying import SKY, followed_here


def found(*rows: tuple) -> pd.DataFrame:
    """A summary of strategy, area, area_error, labels_to_random_final; random first."""
    table = pd.DataFrame([("random", 0.0, 0.0, 300.0), *rows], columns=["strategy", "area", "area_error", "labels_to_random_final"])
    return table.assign(metric="rmse", seeds=5, labels=300).reindex(columns=COLUMNS)


def test_conclusion_names_who_is_ahead_by_how_much_and_what_it_saves():
    said = replaying.conclusion(found(("k_centre", 0.2, 0.05, np.nan), ("k_means_pp", -0.1, 0.02, 150.0), ("lcmd", -0.06, 0.02, 250.0), ("bald", 0.01, 0.05, 300.0)), "rmse", "RMSE")
    assert said == ("On RMSE, k means pp pays: 9.5 ± 1.8 % lower than random over the whole curve, and 150 labels do what random does with 300. "
                    "Ahead as well: lcmd. Behind random: k centre.")  # fmt: skip


def test_conclusion_does_not_call_luck_a_difference():
    assert replaying.conclusion(found(("lcmd", -0.05, 0.04, 250.0)), "rmse", "RMSE") == "On RMSE, no strategy is ahead of random by more than luck; with 5 seeds, differences under 8 % cannot be told."
    alone = replaying.conclusion(found(("lcmd", -0.05, np.nan, 250.0)), "rmse", "RMSE")
    assert alone.startswith("One seed cannot tell a good strategy from a lucky one. On RMSE, lcmd is 4.9 % lower than random")
    assert replaying.conclusion(found(), "rmse", "RMSE") == "Nothing can be compared yet on RMSE."


def test_replays_are_listed_newest_first_with_how_they_stand(tiny):
    assert replaying.replays(tiny) == []
    first, second = replaying.start(tiny, SKY), replaying.start(tiny, Question("z", "linear", ("k_means_pp", "lcmd"), seeds=1))
    jobs.cancel(tiny, first)
    assert followed_here(tiny, replaying.start(tiny, small := Question(**SKY.asked() | {"seeds": 1, "rounds": 1}), workers=1))["status"] == "done"
    done, *_ = replaying.replays(tiny)
    assert done.status == "done" and len(replaying.told_so_far(tiny, done).query("metric == 'rmse'")) == len(small.steps())
    _, newest, oldest = replaying.replays(tiny)
    assert (newest.job_id, newest.is_under_way, oldest.job_id, oldest.is_under_way) == (second, True, first, False)
    assert newest.title == f"#{second} · linear · z · k means pp, lcmd · 700 labels, 1 seed · queued" and oldest.question == SKY
    assert replaying.told_so_far(tiny, newest).empty


def test_cost_of_a_replay_goes_by_the_newest_run_of_its_model(tiny):
    assert replaying.seconds(tiny, SKY) == pytest.approx(1.5 * 12)
    assert replaying.seconds(tiny, Question("z", "random_forest")) is None


def test_models_offered_look_at_what_is_here(tiny, ws):
    assert replaying.models(ws) == []
    with tiny.write() as db:
        db.conn.execute("DELETE FROM arrays WHERE modality <> 'photometry'")
    offered = [spec.name for spec in replaying.models(tiny)]
    assert "photometry_mlp" in offered and "mean" not in offered and "image_cnn" not in offered
