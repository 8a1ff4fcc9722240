"""Where a model is unsure, why, and how labels have changed that: for the eye, and in words."""

from core.services.doubting.change import Change, Gain, batches_between, change, earlier, gains
from core.services.doubting.corners import CORNERS, Corner, corner_of, limits
from core.services.doubting.everyone import KINDS, Everyone, everyone, kinds, version
from core.services.doubting.held import Held, held
from core.services.doubting.posterior import Posterior, density, figures, find, known, posterior, reach
from core.services.doubting.sky import Sky, frame, graticule, project, sky
from core.services.doubting.where import Cells, cells, followed, follows, largest

__all__ = [
    "CORNERS", "KINDS", "Cells", "Change", "Corner", "Everyone", "Gain", "Held", "Posterior", "Sky", "batches_between", "cells", "change", "corner_of", "density",
           "earlier", "everyone", "figures",
    "find", "followed", "follows", "frame", "gains", "graticule", "held", "kinds", "known", "largest", "limits", "posterior", "project", "reach", "sky", "version",
]
