"""Rates of star formation at the labelling desk: measured, taken, refused."""

import json

import pandas as pd
import pytest

from core.columns import TARGET_NAMES
from core.services import labelling
from core.store import labels, objects
from tests.desk import WHO, event, standing_rate


def test_rate_refuses_crossing_percentiles_and_writes_nothing(tiny):
    def refused(sequence, values):
        return [r.sentence for r in labelling.apply_events(tiny, WHO, [event(sequence, 40, "rate", grade=None, sfr={"values": values, "taken": None})]).refused]

    assert "SFR percentiles must not cross" in refused(1, {"sfr_tot_p16": 0.5, "sfr_tot_p84": 0.1})[0]
    assert "at least one new value" in refused(2, {"sfr_tot_p16": None})[0]
    assert "got sfr_tot_p99" in refused(3, {"sfr_tot_p99": 1.0})[0]
    assert refused(4, {"sfr_tot_p16": -0.5, "sfr_tot_median": 0.0, "sfr_tot_p84": None}) == []
    assert standing_rate(tiny, 40) == {"sfr_tot_p16": -0.5, "sfr_tot_median": 0.0}
    assert "got sfr_tot_p16 -0.5, sfr_tot_median -0.7" in refused(5, {"sfr_tot_median": -0.7})[0]


def test_crossing_percentiles_with_a_grade_are_refused_whole(tiny):
    crossing = event(1, 40, sfr={"values": {"sfr_tot_p16": 0.5, "sfr_tot_p84": 0.1}, "taken": None})
    assert labelling.apply_events(tiny, WHO, [crossing]).refused and labels.history(tiny, 40).empty


def test_rate_leaves_what_the_catalogue_said_to_the_catalogue(tiny):
    labelling.take_from_catalogue(tiny, 40, WHO, "f", 1)
    known = standing_rate(tiny, 40)
    labelling.apply_events(tiny, WHO, [event(2, 40, "rate", grade=None, sfr={"values": known | {"sfr_tot_entropy": 1.5}, "taken": None})])
    assert labels.history(tiny, 40).query("source == 'human'")["target"].tolist() == ["sfr_tot_entropy"]


def test_measured_rate_is_what_the_spectrum_tells_and_is_kept(tiny):
    found = labelling.measured_sfr(tiny, 40, 0.10001)
    assert found is labelling.measured_sfr(tiny, 40, 0.09998) and found["z"] == 0.1
    low, step, *density = found["curve"]
    assert found["method"] in ("Halpha", "D4000") and set(found["values"]) == {t for t in TARGET_NAMES if t != "z"}
    assert step * sum(density) == pytest.approx(1, abs=0.01)
    assert low < found["values"]["sfr_tot_median"] < low + step * len(density)
    assert "Halpha 6565" in {line["name"] for line in found["lines"]} and found["has_image"]


def test_measured_rate_without_a_spectrum_or_distance_says_why(tiny, ws):
    with ws.write() as db:
        objects.upsert(db, [{"key": "bare", "sky_group": 1, "split": "train"}])
    assert labelling.measured_sfr(ws, 1, 0.1)["reason"] == "There is no spectrum of this object."
    bare = labelling.measured_sfr(tiny, 40, 0.0)
    assert bare["method"] == "none" and bare["reason"] == "z = 0.0000 gives no distance." and bare["curve"] == [] and bare["values"] == {}


def test_taken_rate_is_saved_with_the_grade_and_says_that_it_was_measured(tiny):
    found = labelling.measured_sfr(tiny, 40, 0.1)
    changed = found["values"] | {"sfr_tot_entropy": -1.25}
    labelling.apply_events(tiny, WHO, [event(1, 40, z=0.1, grade=3, sfr={"values": changed, "taken": 0.1})])
    rows = labels.history(tiny, 40).set_index("target")
    assert len(rows) == 9 and set(rows["grade"]) == {3} and rows["sequence"].nunique() == 1
    assert rows["source"].drop(["z", "sfr_tot_entropy"]).unique().tolist() == ["measured"]
    assert rows.loc[["z", "sfr_tot_entropy"], "source"].tolist() == ["human", "human"]
    width = (found["values"]["sfr_tot_p84"] - found["values"]["sfr_tot_p16"]) / 2
    assert rows["sigma"].drop(["z", "sfr_tot_entropy"]).tolist() == pytest.approx([width] * 7, abs=1e-4) and pd.isna(rows.loc["sfr_tot_entropy", "sigma"])
    assert labelling.history(tiny, 40)["source"].tolist() == ["human, measured"]
    how = {"method": found["method"], "version": 1, "z": 0.1, "bpt": found["bpt"]}
    assert json.loads(rows["shown"]["sfr_tot_p16"])["sfr"] == how | {"measured": found["values"]["sfr_tot_p16"], "edited": False}
    assert json.loads(rows["shown"]["sfr_tot_entropy"])["sfr"] == how | {"measured": found["values"]["sfr_tot_entropy"], "edited": True}
    assert "sfr" not in json.loads(rows["shown"]["z"])


def test_taken_rate_is_written_again_only_when_its_grade_changes(tiny):
    sfr = {"values": labelling.measured_sfr(tiny, 40, 0.1)["values"], "taken": 0.1}
    labelling.apply_events(tiny, WHO, [event(n, 40, z=0.1, grade=g, sfr=sfr) for n, g in ((1, 3), (2, 3), (3, 4))])
    assert labels.history(tiny, 40).groupby("sequence").size().to_dict() == {1: 9, 2: 1, 3: 9}
    assert labelling.undo(tiny, WHO, "c1", 4) == 40
    assert labels.current(tiny).query("annotator == @WHO")["grade"].tolist() == [3] * 9
