import numpy as np
import pandas as pd
import pytest

from core.data.crossmatch import Known, Sky, bits_of, brought, match, match_fibres

IMAGE, SPECTRUM, PHOTOMETRY = (bits_of([m]) for m in ("image", "spectrum", "photometry"))
ARCSEC = 1 / 3600


def _known(*rows):
    known = Known()
    columns = ("id", "key", "objid", "specobjid", "plate", "mjd", "fiberid", "ra", "dec", "sky_group", "holds")
    table = pd.DataFrame([dict.fromkeys(columns) | r for r in rows]).assign(sky_group=7)
    known.add(table)
    known.holds.update({r["id"]: r.get("holds", 0) for r in rows})
    return known


def _match(known, brings, *rows):
    return match(known, pd.DataFrame(rows), brings).tolist()


SPEC = dict(id=1, key="spec-0390-51900-0002", plate=390, mjd=51900, fiberid=2, ra=10.0, dec=0.5, objid="1237663782589366427", holds=SPECTRUM)


def test_the_same_key_fibre_or_alias_is_the_same_object():
    known = _known(SPEC)
    known.keys["J004000.00+003000.0"] = 1
    rows = [dict(key="spec-0390-51900-0002"), dict(key="x", plate=390.0, mjd=51900.0, fiberid=2.0), dict(key="J004000.00+003000.0"), dict(key="new")]
    assert _match(known, [SPECTRUM] * 4, *rows) == [1, 1, 1, -1]


@pytest.mark.parametrize(("offset", "brings", "expected"), [(1.4, IMAGE, 1), (1.6, IMAGE, -1), (1.4, SPECTRUM, -1), (0.0, IMAGE | PHOTOMETRY, 1), (0.0, IMAGE | SPECTRUM, -1)])
def test_a_row_joins_what_lies_within_one_and_a_half_arcsec_and_lacks_what_it_brings(offset, brings, expected):
    assert _match(_known(SPEC), [brings], dict(key="image", ra=10.0, dec=0.5 + offset * ARCSEC)) == [expected]


def test_the_nearest_object_that_lacks_the_modality_is_joined_once():
    known = _known(SPEC, dict(id=2, key="b", ra=10.0, dec=0.5 + 1.0 * ARCSEC, holds=SPECTRUM), dict(id=3, key="c", ra=10.0, dec=0.5 + 0.1 * ARCSEC, holds=IMAGE))
    rows = [dict(key=f"image {i}", ra=10.0, dec=0.5 + 0.2 * ARCSEC) for i in range(3)]
    assert _match(known, [IMAGE] * 3, *rows) == [1, 2, -1]


def test_photometry_joins_by_survey_id_without_a_position():
    assert _match(_known(SPEC), [PHOTOMETRY, PHOTOMETRY], dict(key="a", objid="1237663782589366427"), dict(key="b", objid="1237663782589366428")) == [1, -1]


def test_another_fibre_is_another_object_even_at_the_same_place():
    assert _match(_known(SPEC), [IMAGE], dict(key="other", plate=391, mjd=51900, fiberid=2, ra=10.0, dec=0.5)) == [-1]


def test_positions_match_across_ra_0_and_at_the_pole():
    known = _known(dict(id=1, key="a", ra=359.9999, dec=0.0), dict(id=2, key="b", ra=0.0, dec=89.9999))
    assert _match(known, [IMAGE, IMAGE], dict(key="x", ra=0.0001, dec=0.0), dict(key="y", ra=180.0, dec=89.9999)) == [1, 2]


def test_what_an_object_gains_is_found_by_it():
    known = _known(dict(id=1, key="1237663782589366427", objid="1237663782589366427", holds=PHOTOMETRY))
    assert _match(known, [IMAGE], dict(key="image", ra=10.0, dec=0.5)) == [-1]
    known.add(pd.DataFrame([dict(SPEC, key="1237663782589366427", sky_group=7)]))
    assert _match(known, [IMAGE], dict(key="image", ra=10.0, dec=0.5)) == [1]
    assert match_fibres(known, pd.DataFrame([dict(plate=390, mjd=51900, fiberid=2), dict(plate=390, mjd=51900, fiberid=3)])).tolist() == [1, -1]


def test_neighbours_give_their_group():
    ra, dec, group = _known(SPEC).around(np.array([10.0, 50.0, np.nan]), np.array([0.5 + 2 * ARCSEC, 0.5, 0.5]))
    assert (ra.tolist(), dec.tolist(), group.tolist()) == ([10.0], [0.5], [7])


def test_sky_finds_what_was_added_in_any_number_of_steps():
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 300), rng.uniform(-90, 90, 300)
    sky = Sky()
    for start in range(0, 300, 7):
        sky.add(np.arange(300)[start : start + 7], ra[start : start + 7], dec[start : start + 7])
    assert [[number for _, number in hits] for hits in sky.near(ra, dec, 0.5)] == [[i] for i in range(300)]


def test_brought_says_which_rows_have_which_array():
    assert brought(3, {"image": (np.array([0, 2]), None), "photometry": (np.array([2]), None)}) == [IMAGE, 0, IMAGE | PHOTOMETRY]
