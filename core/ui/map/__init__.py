"""The map: a cloud that can be lassoed, coloured and asked, however many galaxies it has.

The browser draws it by WebGL. Places and looks reach it as files that it keeps, two numbers and two bytes a
galaxy; a lasso sends its outline, not its contents, and which galaxies lie inside is worked out here. So neither
a lasso nor a change of the page around the map sends the map again, and zoom stays whatever happens.
"""

from core.ui.map.cloud import HEIGHT, draw, table
from core.ui.map.looks import DENSE
from core.ui.map.selection import caught, caught_ids, forget, keep, picked, unpick

__all__ = ["DENSE", "HEIGHT", "caught", "caught_ids", "draw", "forget", "keep", "picked", "table", "unpick"]
