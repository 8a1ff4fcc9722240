"""The line list: vacuum values, unique names, the questions the UI asks."""

import numpy as np
import pytest

from core.spectroscopy.lines import GROUPS, LINE_GROUPS, LINES, line, observed, redshifts_of, wavelengths


@pytest.mark.parametrize(
    ("name", "air"),
    [("Halpha 6565", 6562.801), ("Hbeta 4863", 4861.32), ("[OIII] 5008", 5006.843), ("[NII] 6585", 6583.45), ("Ca K 3935", 3933.66), ("[SII] 6733", 6730.82)],
)
def test_wavelengths_are_vacuum_not_air(name, air):
    # Ciddor 1996 / VALD: refraction of air at optical wavelengths
    s2 = (1e4 / line(name).wave) ** 2
    n = 1 + 5.792105e-2 / (238.0185 - s2) + 1.67917e-3 / (57.362 - s2)
    assert line(name).wave / n == pytest.approx(air, abs=0.06)


def test_names_are_unique_ascending_and_say_the_wavelength():
    assert len({entry.name for entry in LINES}) == len(LINES) == 31
    assert np.diff([entry.wave for entry in LINES]).min() > -20
    assert all(abs(float(entry.name.split()[-1]) - entry.wave) < 1 for entry in LINES)


def test_every_line_is_in_a_group_and_every_group_has_lines():
    assert {entry.group for entry in LINES} == set(GROUPS)
    assert wavelengths("quasar").tolist() == [1215.67, 1549.48, 1908.73, 2800.3]


def test_line_names_the_choices_when_there_is_no_such_line():
    with pytest.raises(ValueError, match="no line is called 'Halfa'; choose one of Lya 1216, "):
        line("Halfa")


def test_observed_shifts_lines_and_keeps_those_in_range():
    found = observed(0.5, 5000, 6000, groups=("emission",))
    assert [entry.name for entry, _ in found] == ["[OII] 3727", "[OII] 3730", "[NeIII] 3870"]
    assert found[0][1] == pytest.approx(3727.092 * 1.5)


def test_redshifts_of_a_feature_include_the_line_it_is():
    shifts = {entry.name: z for entry, z in redshifts_of(6564.614 * 1.2, low=0.0, high=0.5)}
    assert shifts["Halpha 6565"] == pytest.approx(0.2)
    assert "[OII] 3727" not in shifts


def test_line_groups_ascend_apart_and_each_holds_a_line():
    edges = [edge for group in LINE_GROUPS for edge in (group.low, group.high)]
    assert edges == sorted(edges)
    assert all(any(group.low < entry.wave < group.high for entry in LINES) for group in LINE_GROUPS)
