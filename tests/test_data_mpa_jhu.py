import pytest

from core.columns import PERCENTILES, SFR_TARGETS
from core.data import mpa_jhu
from core.errors import BadInput
from tests import survey_files as made

INFO = dict(PLATEID=[390, 390, 391, 392], MJD=[51900] * 4, FIBERID=[2, 3, 4, 5])


def _read(folder, rates, info=None, fibres=None):
    return next(iter(mpa_jhu.read(made.mpa_jhu(folder, rates, info or INFO), fibres)))


def test_rates_are_joined_row_by_row_and_match_by_fibre(tmp_path):
    chunk = _read(tmp_path, {"MEDIAN": [0.1, 0.11, 0.12, 0.13]})
    assert chunk.matches and chunk.arrays == {}
    assert chunk.objects[["plate", "mjd", "fiberid"]].to_numpy().tolist() == [[390, 51900, 2], [390, 51900, 3], [391, 51900, 4], [392, 51900, 5]]
    median = chunk.truth.query("target == 'sfr_tot_median'")
    assert median["value"].tolist() == pytest.approx([0.1, 0.11, 0.12, 0.13]) and median["sigma"].tolist() == pytest.approx([0.4] * 4)
    assert set(chunk.truth["target"]) == {"z", *SFR_TARGETS}
    assert chunk.truth.query("target == 'sfr_tot_entropy'")["sigma"].isna().all()
    assert chunk.objects["ebv"].tolist() == pytest.approx([0.03] * 4) and chunk.objects["sn"].tolist() == pytest.approx([9.0] * 4)


def test_sentinels_flags_and_crossing_percentiles_give_no_rate(tmp_path):
    chunk = _read(tmp_path, {"AVG": [-99.0, 0.1, 0.1, 0.1], "MEDIAN": [-99.0, 0.1, 0.1, 0.9], "FLAG": [1, 5, 0, 0], "P16": [-99.0, -0.3, -0.3, -0.3],
                             "MODE": [-99.0, 0.2, 1.5, 0.2], "P2P5": [-99.0, -0.7, -0.7, -0.7], "P84": [-99.0, 0.5, 0.5, 0.5], "P97P5": [-99.0, 0.9, 0.9, 0.9]})
    assert chunk.truth.query("target != 'z'").empty
    assert chunk.left_out == {"SFR values only: the SFR's FLAG is not 0": 2, "SFR values only: SFR percentiles cross": 1,
                              "SFR values only: |mode - mean| of the SFR is above 1.3 dex: its aperture correction failed": 1}
    assert chunk.missing == {"avg": 1, "median": 1, "mode": 1, "p16": 1, "p2p5": 1, "p84": 1, "p97p5": 1}


def test_percentiles_that_are_taken_ascend(tmp_path):
    truth = _read(tmp_path, {}).truth
    for _, row in truth.pivot(index="row", columns="target", values="value")[list(PERCENTILES)].iterrows():
        assert row.tolist() == sorted(row)


def test_only_fibres_that_are_here_are_read_on(tmp_path):
    chunk = _read(tmp_path, {}, fibres={(390, 51900, 3), (392, 51900, 5), (7, 7, 7)})
    assert chunk.objects["key"].tolist() == ["spec-0390-51900-0003", "spec-0392-51900-0005"]
    assert chunk.left_out == {"no object here has this plate, MJD and fibre": 2} and chunk.total == 2


def test_redshift_with_a_warning_is_no_truth(tmp_path):
    chunk = _read(tmp_path, {}, INFO | {"Z_WARNING": [0, 2, 0, 0], "Z": [0.1, 0.2, -9999.0, 0.4]})
    assert chunk.truth.query("target == 'z'")["row"].tolist() == [0, 3]


def test_pair_of_different_length_is_refused(tmp_path):
    rates = made.mpa_jhu(tmp_path, {}, INFO)[0]
    (tmp_path / "other").mkdir()
    info = made.mpa_jhu(tmp_path / "other", {}, {k: v[:3] for k, v in INFO.items()})[1]
    with pytest.raises(BadInput, match="^the pair of MPA-JHU files must have the same rows; got 4 and 3, for gal_totsfr_dr7_v5_2.fits and gal_info_dr7_v5_2.fit."):
        list(mpa_jhu.read([rates, info]))
