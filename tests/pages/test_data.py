"""The Data page: ingesting, filters, export, the division of the sky."""

from core.store import ingested, jobs, objects
from tests.pages.reading import fine, press, words


def test_data_previews_and_queues_what_is_given(app, ws, tmp_path):
    (tmp_path / "notes.txt").write_text("no survey file")
    (tmp_path / "sky.csv").write_text("id,ra,dec,u,g,r,i,z\n1,10.0,2.0,19.1,18.0,17.4,17.0,16.8\n")
    test = app(ws, "data")
    test.text_area(key="ingest_paths").set_value(str(tmp_path / "sky.csv") + "\n" + str(tmp_path / "notes.txt")).run()
    press(test, "Look first")
    assert fine(test) and "**1** files would be read, **1** refused." in words(test) and "notes.txt" in words(test)
    press(test, "Read them")
    assert fine(test) and jobs.one(ws, 1)["parameters"]["paths"] == [str(tmp_path / "sky.csv"), str(tmp_path / "notes.txt")]


def test_data_refuses_a_path_that_is_not_there_with_a_sentence(app, ws):
    test = app(ws, "data")
    test.text_area(key="ingest_paths").set_value("/no/such/place").run()
    press(test, "Read them")
    assert "a path must exist; got nothing, for /no/such/place" in test.error[0].value and jobs.active(ws).empty


def test_data_shows_what_came_in_and_why_the_rest_did_not(app, ws):
    job = jobs.enqueue(ws, "ingest", "Read", {"paths": []})
    with ws.write() as db:
        ingested.put(db, job, [ingested.Entry("a/sky.csv", "table", "read", new=3, counts={"photometry": 3, "missing": {"u": 2}, "complete": 1}),
                               ingested.Entry("a/notes.txt", "", "refused", message="a file must end in .fits; got .txt, for notes.txt. Leave it out.")])
    test = app(ws, "data")
    assert fine(test) and "notes.txt" in words(test) and "a file must end in .fits" in words(test)
    summary = next(d.value for d in test.dataframe if "files refused" in d.value)
    assert summary.set_index("product").loc["in all", ["new", "missing", "files refused"]].tolist() == [3, 2, 1]


def test_data_lists_objects_that_pass_a_filter(app, tiny):
    test = app(tiny, "data", tab="Objects")
    assert "**60** objects pass." in words(test)
    test.text_input(key="object_text").set_value("mock-0000").run()
    assert fine(test) and "**10** objects pass." in words(test)


def test_data_export_shows_the_checksum_of_the_training_set(app, tiny):
    test = app(tiny, "data", tab="Export")
    press(test, "Prepare the export")
    from core.services import curating

    made = curating.export(tiny, "anybody")
    assert fine(test) and made.checksums["training_set.csv"] in [c.value for c in test.code] and made.methods in [c.value for c in test.code]


def test_data_says_how_the_sky_is_divided(app, tiny):
    test = app(tiny, "data", tab="Splits and gaps")
    counted = objects.frame(tiny)["split"].value_counts()
    table = next(d.value for d in test.dataframe if "groups" in d.value)
    assert fine(test) and table.set_index("split")["objects"].to_dict() == counted.to_dict()
