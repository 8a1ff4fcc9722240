"""The export can be verified, says where every value came from, and is the same for the same labels."""

import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime

import pandas as pd
import pytest

from core.errors import BadInput
from core.services import curating, labelling
from core.store import batches, labels, objects
from core.store.census import Filter

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)


def _table(made, name) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(made.files[name]), dtype={"specobjid": str})


def test_export_checksums_are_those_of_its_files(tiny):
    made = curating.export(tiny, "Ada", NOON)
    assert set(made.files) == {"labels.csv", "training_set.csv", "provenance.json", "methods.txt"}
    assert made.checksums == {n: hashlib.sha256(made.files[n]).hexdigest() for n in ("labels.csv", "training_set.csv")}
    document = json.loads(made.files["provenance.json"])
    assert document["sha256"] == made.checksums and document["exported"] == "2025-06-01T12:00:00+00:00" and document["exported_by"] == "Ada"
    assert document["snapshot_sha256"] == labels.snapshot_hash(labels.training(tiny))


def test_export_of_the_same_labels_has_the_same_checksum_whenever_and_by_whomever(tiny):
    assert curating.export(tiny, "Ada", NOON).checksums == curating.export(tiny, "Bob").checksums
    assert curating.export(tiny, "Ada", NOON).archive() == curating.export(tiny, "Ada", NOON).archive()


def test_export_checksum_changes_when_a_label_does(tiny):
    before = curating.export(tiny, "Ada").checksums
    first = int(labels.training(tiny)["object_id"].iloc[0])
    labels.record(tiny, [labels.Decision(first, "z", "label", "Ada", "laptop", 1, value=0.5, grade=4)])
    made = curating.export(tiny, "Ada")
    assert made.checksums["labels.csv"] != before["labels.csv"]
    row = _table(made, "labels.csv").query("target == 'z'").set_index("key").loc[objects.one(tiny, first)["key"]]
    assert (row["value"], row["annotator"], row["source"], row["grade"]) == (0.5, "Ada", "human", 4)


def test_exported_tables_hold_the_values_and_keep_long_ids_as_they_are(tiny):
    made, table = curating.export(tiny, "Ada"), labels.training(tiny)
    long, wide = _table(made, "labels.csv"), _table(made, "training_set.csv")
    assert len(long) == len(table) == 270 and len(wide) == 30
    assert long["value"].to_numpy().tolist() == pytest.approx(table["value"].to_numpy().tolist())
    assert wide["specobjid"].iloc[0] == "1000000000000000000" and set(wide["split"]) <= {"train", "calibration", "test"}
    z = long.query("target == 'z'").set_index("key")["value"]
    assert wide.set_index("key")["z"].to_dict() == z.to_dict()


def test_export_says_why_a_galaxy_was_asked_for(tiny):
    ids = objects.frame(tiny)["id"].tolist()[40:42]
    batch = batches.save(tiny, "Round 1", "k_centre", {"size": 2}, 7, [{"object_id": ids[0], "reason": "far from every label"}, {"object_id": ids[1], "control": 1, "reason": "drawn at random"}])
    labels.record(tiny, [labels.Decision(i, "z", "label", "Ada", "laptop", n, value=0.1, grade=4, batch_id=batch) for n, i in enumerate(ids)])
    made = curating.export(tiny, "Ada")
    asked = _table(made, "labels.csv").query("annotator == 'Ada'")
    assert asked["reason"].tolist() == ["far from every label", "drawn at random"] and asked["control"].tolist() == [0, 1] and set(asked["strategy"]) == {"k_centre"}
    assert made.provenance["batches"][0] | {"created": ""} == {
        "name": "Round 1", "strategy": "k_centre", "parameters": {"size": 2}, "seed": 7, "run": None, "size": 2, "labelled": 2, "random_control": 1, "created": ""}
    assert "1 query batch asked for 2 galaxies (k_centre), 1 of them a random control slice" in made.methods


def test_methods_paragraph_names_counts_splits_and_snapshot(tiny):
    made = curating.export(tiny, "Ada")
    assert made.methods.startswith("The training set holds 270 values for 30 galaxies (30 each of z, sfr_tot_avg")
    assert "The galaxies are simulated." in made.methods and "270 catalogue" in made.methods and made.provenance["snapshot_sha256"] in made.methods


def test_archive_holds_every_file_unchanged(tiny):
    made = curating.export(tiny, "Ada")
    with zipfile.ZipFile(io.BytesIO(made.archive())) as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == made.files


def test_export_asks_for_labels_when_there_is_none(ws):
    with pytest.raises(BadInput, match="labels must hold at least one standing value"):
        curating.export(ws, "Ada")


@pytest.mark.parametrize(("wanted", "count"), [
    (Filter(), 60), (Filter(text="MOCK-0000"), 10), (Filter(text="1000000000000000007"), 1), (Filter(is_labelled=True), 30), (Filter(is_labelled=False), 30),
    (Filter(object_class="QSO"), 0), (Filter(modality="spectrum"), 60), (Filter(least_sn=1e6), 0), (Filter(text="100%"), 0),
])
def test_listing_counts_what_passes_the_filter(tiny, wanted, count):
    table, total = curating.listing(tiny, wanted)
    assert total == len(table) == count


def test_listing_says_how_many_pass_when_it_shows_fewer(tiny):
    table, total = curating.listing(tiny, Filter(), limit=5)
    assert (len(table), total) == (5, 60) and table["image"].all() and table["is_labelled"].all()


def test_details_hold_catalogue_columns_and_metadata_but_no_truth(tiny):
    table = curating.details(tiny, 1).set_index("name")["value"]
    assert table["key"] == "mock-00000" and table["objid"] == "" and 15 < float(table["r_mag"]) < 18
    assert "z" not in table.index and "sfr_tot_median" not in table.index


def test_label_counts_add_up_over_splits(tiny):
    table = curating.label_counts(tiny).set_index("target")
    assert len(table) == 9 and (table["galaxies"] == 30).all() and table.loc["z", ["train", "calibration", "test"]].sum() == 30
    assert table.loc["sfr_tot_entropy", "unit"] == "nat"


@pytest.mark.parametrize("name", ["../../evil.csv", "/etc/passwd", "..\\evil.csv", ".hidden", ""])
def test_uploads_stay_in_their_folder(ws, name):
    folder = curating.keep_uploads(ws, [(name, io.BytesIO(b"z"))])
    (path,) = folder.iterdir()
    assert path.resolve().is_relative_to((ws.path / "uploads").resolve()) and path.read_bytes() == b"z" and not path.name.startswith(".")


def test_uploads_that_belong_together_share_a_folder_and_the_same_upload_is_one(ws):
    def bands():
        return [(f"star_{b}.fits", io.BytesIO(b.encode())) for b in "ugriz"]

    folder = curating.keep_uploads(ws, bands())
    assert sorted(p.name for p in folder.iterdir()) == [f"star_{b}.fits" for b in "giruz"]
    assert curating.keep_uploads(ws, bands()) == folder and len(list((ws.path / "uploads").iterdir())) == 1


def test_uploads_of_one_name_are_refused_with_a_sentence(ws):
    with pytest.raises(BadInput, match="files uploaded together must have different names; got a.csv twice"):
        curating.keep_uploads(ws, [("a.csv", io.BytesIO(b"1")), ("x/a.csv", io.BytesIO(b"2"))])


def test_export_says_how_a_rate_was_measured_and_what_was_seen(tiny):
    found = labelling.measured_sfr(tiny, 40, 0.1)
    changed = found["values"] | {"sfr_tot_entropy": -1.25}
    labelling.apply_events(tiny, "Annie", [{"client": "c", "sequence": 1, "kind": "grade", "object": 40, "z": 0.1, "grade": 4, "revealed": False,
                                            "run": 1, "proposal": 0.2, "sfr": {"values": changed, "taken": 0.1}}])
    table = pd.read_csv(io.BytesIO(curating.export(tiny, "Annie").files[curating.LABELS])).query("annotator == 'Annie'").set_index("target")
    assert table["blind"].all() and set(table["model_run"]) == {1}
    assert table.loc["sfr_tot_p16", ["source", "sfr_method", "sfr_z", "sfr_bpt"]].tolist() == ["measured", f"{found['method']} 1", 0.1, found["bpt"]]
    assert table.loc["sfr_tot_entropy", ["source", "value", "sfr_measured"]].tolist() == ["human", -1.25, found["values"]["sfr_tot_entropy"]]
    assert pd.isna(table.loc["z", "sfr_method"])
