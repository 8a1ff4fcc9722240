"""Everything that has to be seen stands out from a light page and from a dark one, measured as WCAG 2.2 does."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from core.services.exploring import STATES
from core.ui import palette

THEME = tomllib.loads((Path(__file__).resolve().parent.parent / ".streamlit" / "config.toml").read_text())["theme"]
GRAPHIC, TEXT = 3.0, 4.5
"""WCAG 2.2: 1.4.11 for marks and lines, 1.4.3 for words."""
CAPTION = 0.78
"""The opacity of small print in style.css."""


def grounds(name: str) -> list[str]:
    return [THEME[name]["backgroundColor"], THEME[name]["secondaryBackgroundColor"], THEME[name]["sidebar"]["backgroundColor"]]


@pytest.fixture(params=["light", "dark"])
def theme(request):
    return request.param


def test_words_in_every_colour_stand_out_from_every_ground(theme):
    names = ("textColor", "primaryColor", "linkColor", "blueColor", "greenColor", "orangeColor", "redColor", "yellowColor", "violetColor", "grayColor", "codeTextColor")
    faint = {(n, g): round(palette.contrast(THEME[theme][n], g), 2) for n in names for g in grounds(theme) if palette.contrast(THEME[theme][n], g) < TEXT}
    assert faint == {}


def test_small_print_stands_out_from_the_page(theme):
    style = (Path(palette.__file__).parent / "style.css").read_text()
    assert f"opacity: {CAPTION} !important" in style
    page, ink = (np.array(palette.rgb(THEME[theme][n])) for n in ("backgroundColor", "textColor"))
    mixed = "#" + bytes((CAPTION * ink + (1 - CAPTION) * page).round().astype(np.uint8)).hex()
    assert palette.contrast(mixed, THEME[theme]["backgroundColor"]) > 7


def test_series_categories_and_states_stand_out_from_the_page(theme):
    page = grounds(theme)[0]
    drawn = [*THEME[theme]["chartCategoricalColors"], *palette.OKABE_ITO, palette.NOTHING, palette.HIGHLIGHT[theme == "dark"]]
    drawn += [colour for colour, _ in palette.categories(list(STATES), theme == "dark").values()]
    assert min(palette.contrast(colour, page) for colour in drawn) >= GRAPHIC


def test_ramps_stand_out_from_the_page_along_all_their_length(theme):
    is_dark, page = theme == "dark", grounds(theme)[0]
    for pairs in (palette.sequential(is_dark), palette.diverging(is_dark)):
        ramp = ["#" + bytes(row).hex() for row in palette.ramp(pairs, 50)]
        assert min(palette.contrast(colour, page) for colour in ramp) >= GRAPHIC


def test_sequential_ramp_gets_steadily_lighter(theme):
    lightness = [palette.contrast("#" + bytes(row).hex(), "#000000") for row in palette.ramp(palette.sequential(theme == "dark"), 20)]
    assert (np.diff(lightness) > 0).all()
