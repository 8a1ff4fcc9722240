import numpy as np
import pytest
from astropy.io import fits

from core.data import sdss_spectrum, sdss_spectrum_dr7
from core.errors import BadInput
from core.preprocess.spectrum import LOGLAM
from tests import survey_files as made

FIRST = round((3.6021 - LOGLAM[0]) / 1e-4)


@pytest.mark.parametrize("is_upper", [False, True])
def test_spectrum_keeps_native_pixels_and_drops_masked_ones(tmp_path, is_upper):
    chunk = sdss_spectrum.read(made.spec(tmp_path, is_upper=is_upper))
    rows, values = chunk.arrays["spectrum"]
    flux, ivar = values[0][:, FIRST : FIRST + 10]
    assert rows.tolist() == [0] and values.shape == (1, 2, 4620)
    assert flux.tolist() == [1, 2, 3, 4, 5, 0, 7, 0, 9, 10]
    assert ivar.tolist() == [4, 4, 4, 4, 4, 0, 4, 0, 4, 4]
    assert (values[0, 1] > 0).sum() == 98
    assert 777 not in values


def test_spectrum_names_its_object_and_sends_the_redshift_to_truth_only(tmp_path):
    chunk = sdss_spectrum.read(made.spec(tmp_path))
    obj = chunk.objects.iloc[0]
    assert obj["key"] == "spec-0390-51900-0002"
    assert (obj["ra"], obj["dec"], obj["class"], obj["zwarning"], obj["sn"]) == (10.0, 0.5, "GALAXY", 0, 7.5)
    assert (obj["specobjid"], obj["objid"]) == ("439101545301174272", "1237663782589366427")
    assert chunk.truth.to_dict("records") == [{"row": 0, "target": "z", "value": pytest.approx(0.1), "sigma": pytest.approx(2e-5)}]
    assert 0.1 not in obj["metadata"].values() and "z" not in chunk.objects


@pytest.mark.parametrize(("row", "kind", "count"), [
    ({"ZWARNING": 16}, "GALAXY", 1), ({"ZWARNING": 4}, "GALAXY", 0), ({"CLASS": "QSO"}, "QSO", 0), ({"OBJTYPE": "SKY", "ZWARNING": 0}, "SKY", 0),
])
def test_spectrum_gives_truth_for_usable_galaxies_only(tmp_path, row, kind, count):
    chunk = sdss_spectrum.read(made.spec(tmp_path, **row))
    assert (chunk.objects["class"][0], len(chunk.truth)) == (kind, count)


def test_spectrum_takes_the_fibre_from_the_name_when_the_file_ends_after_the_coadd(tmp_path):
    path = made.spec(tmp_path)
    with fits.open(path) as hdus:
        fits.HDUList(hdus[:2]).writeto(tmp_path / "spec-0007-55555-0123.fits")
    chunk = sdss_spectrum.read(tmp_path / "spec-0007-55555-0123.fits")
    assert chunk.objects["key"][0] == "spec-0007-55555-0123"
    assert len(chunk.truth) == 0 and np.isnan(chunk.objects["ra"][0])
    assert chunk.objects["sn"][0] == pytest.approx(2 * np.median([f for f in range(1, 101) if f not in (6, 8)]))


def test_spectrum_without_errors_is_refused_with_file_rule_and_cure(tmp_path):
    columns = [fits.Column("flux", "E", array=np.ones(9)), fits.Column("loglam", "E", array=np.linspace(3.6, 3.7, 9))]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns)]).writeto(tmp_path / "spec-1-55555-1.fits")
    with pytest.raises(BadInput, match=r"^HDU1 must hold flux, loglam and ivar; got no ivar, for spec-1-55555-1.fits. Download the coadded spectrum again.$"):
        sdss_spectrum.read(tmp_path / "spec-1-55555-1.fits")


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.7])
def test_truncated_spectrum_is_refused_with_a_sentence(tmp_path, share):
    path = made.damaged(made.spec(tmp_path), share)
    with pytest.raises(BadInput, match="the file must be a whole FITS file; got .* for spec-0390-51900-0002.fits"):
        sdss_spectrum.read(path)


def test_dr7_spectrum_is_the_same_object_with_ivar_from_sigma(tmp_path):
    chunk = sdss_spectrum_dr7.read(made.sp_spec(tmp_path))
    flux, ivar = chunk.arrays["spectrum"][1][0][:, FIRST : FIRST + 9]
    obj = chunk.objects.iloc[0]
    assert (obj["key"], obj["class"], obj["ra"], obj["dec"]) == ("spec-0390-51900-0002", "GALAXY", 10.0, 0.5)
    assert flux.tolist() == [3] * 7 + [0, 3] and ivar.tolist() == [4] * 7 + [0, 4]
    assert chunk.truth[["value", "sigma"]].to_numpy().ravel() == pytest.approx([0.1, 3e-5])


def test_dr7_spectrum_with_a_warning_has_no_truth(tmp_path):
    assert len(sdss_spectrum_dr7.read(made.sp_spec(tmp_path, Z_WARNIN=16)).truth) == 0
    assert len(sdss_spectrum_dr7.read(made.sp_spec(tmp_path, SPEC_CLN=3)).truth) == 0


def test_real_spectrum_reads_as_its_catalogue_row_says(real):
    chunk = sdss_spectrum.read(real / "boss_spectra" / "spec-4391-55866-0471.fits")
    obj, values = chunk.objects.iloc[0], chunk.arrays["spectrum"][1][0]
    with fits.open(real / "boss_spectra" / "spec-4391-55866-0471.fits") as hdus:
        pixels, row = hdus[1].data, hdus[2].data[0]
        assert obj["specobjid"] == str(row["SPECOBJID"]) == "4943956056856612864"
        assert obj["objid"] == row["OBJID"].strip() and obj["ebv"] == pytest.approx(row["EXTINCTION"][2] / 2.751)
        assert chunk.truth["value"][0] == pytest.approx(float(row["Z"]))
        first = round((float(pixels["loglam"][0]) - LOGLAM[0]) / 1e-4)
        inside = slice(max(first, 0), first + len(pixels))
        good = values[1, inside] > 0
        native = np.asarray(pixels["flux"], float)[max(-first, 0) :][: len(good)]
        assert good.sum() == 4209 and values[0, inside][good] == pytest.approx(native[good])


def test_real_sky_fibre_that_the_pipeline_calls_a_galaxy_has_no_truth(real):
    chunks = [sdss_spectrum.read(p) for p in sorted((real / "sky_spectra").glob("*.fits"))[:12]]
    assert {c.objects["class"][0] for c in chunks} == {"SKY"} and sum(len(c.truth) for c in chunks) == 0


def test_real_spectra_of_other_reductions_are_read(real):
    chunks = [sdss_spectrum.read(p) for p in sorted((real / "legacy_spectra").glob("*.fits"))]
    assert len(chunks) == 12 and sum(len(c.truth) for c in chunks) == 11
    assert all((c.arrays["spectrum"][1][0, 1] > 0).sum() > 3500 for c in chunks)
