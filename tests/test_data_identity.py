import numpy as np
import pytest

from core.data.identity import as_ids, content_key, decode_specobjid, is_fibre, position_key, rounding_of


@pytest.mark.parametrize(("ra", "dec", "key"), [
    (0.0, 0.0, "J000000.00+000000.0"), (359.999999, -0.00001, "J235959.99-000000.0"), (186.5663417, 48.4935083, "J122615.92+482936.6"), (150.0, -89.5, "J100000.00-893000.0"),
])
def test_position_key_is_the_iau_name(ra, dec, key):
    assert position_key(ra, dec) == key


def test_specobjid_of_boss_decodes_to_its_fibre():
    assert decode_specobjid("4943956056856612864") == (4391, 55866, 471)


@pytest.mark.parametrize("text", ["1237648720693755918", "", None, "abc", "75094094447116288"])
def test_other_ids_decode_to_no_fibre(text):
    assert decode_specobjid(text) is None


def test_fibre_needs_three_possible_numbers():
    assert is_fibre(390, 51900, 2) and not is_fibre(390, 51900, None)
    assert not is_fibre(float("nan"), 51900, 2) and not is_fibre(390, 0, 2) and not is_fibre(439101545301174272, 51900, 2)


def test_ids_beyond_a_double_are_marked_as_rounded():
    assert as_ids([np.float64(1.237648720693755918e18)]) == ["1.2376487206937559e+18"]
    assert as_ids(np.array([1237648720693755918], dtype=np.int64)) == ["1237648720693755918"]


def test_rounded_ids_are_found_by_their_zeros():
    nowhere = np.full(3, np.nan)
    assert rounding_of(["587725074995609000", "588848899361210000", "587725073921409000"], nowhere, nowhere) == "100% of them end in 3 zeros or more"
    assert rounding_of(["1.23E+18", "1.2376E+18", "1.2376E+18" + "0" * 7], nowhere, nowhere) is None
    assert rounding_of(["1237645943976493294", "1237645943977541802", "1237645943978328000"], nowhere, nowhere) is None


def test_rounded_ids_are_found_by_galaxies_that_share_one():
    ids, ra = ["1237645943976493291", "1237645943976493291", "1237645943976493297"], np.array([10.0, 10.1, 10.2])
    assert rounding_of(ids, ra, np.zeros(3)) == "1 of them stand for galaxies in different places"
    assert rounding_of(ids, np.array([10.0, 10.0001, 10.2]), np.zeros(3)) is None
    assert rounding_of(ids, np.array([359.9999, 0.0001, 10.2]), np.zeros(3)) is None


def test_content_key_follows_the_values_not_the_folder():
    one, other = content_key("a", 3, np.ones(4)), content_key("a", 3, np.zeros(4))
    assert one == content_key("a", 3, np.ones(4, dtype="f4")) and one != other and one.startswith("a-000003-")
