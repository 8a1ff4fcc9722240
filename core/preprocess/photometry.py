"""Catalogue magnitudes to model inputs: magnitudes, colours, log errors and what is missing, on fixed scales."""

import numpy as np

from core.columns import BANDS

_PAIRS = tuple(zip(BANDS, BANDS[1:], strict=False))
COLUMNS = (*BANDS, *(f"{a}-{b}" for a, b in _PAIRS), *(f"log_err_{b}" for b in BANDS), *(f"missing_{b}" for b in BANDS))
"""What each of the 19 columns of `model_input` holds."""
MAGNITUDE_CENTRE = np.array([19.2, 17.8, 17.0, 16.6, 16.3])
MAGNITUDE_SCALE = 0.9
COLOUR_CENTRE = np.array([1.55, 0.80, 0.39, 0.29])
COLOUR_SCALE = np.array([0.45, 0.27, 0.10, 0.12])
LOG_ERR_CENTRE = np.array([-1.3, -2.1, -2.2, -2.2, -1.85])
LOG_ERR_SCALE = 0.25
LIMIT = 8.0
"""Scaled values are held within +-LIMIT; a value beyond is an outlier of the measurement, not a galaxy."""


def model_input(phot_n25: np.ndarray) -> np.ndarray:
    """Scale magnitudes and errors for models.

    The scales are constants (medians and spreads of SDSS main-sample galaxies), so a
    galaxy's input never depends on which others are in the workspace.

    Parameters
    ----------
    phot_n25 : (n, 2, 5) dereddened ugriz magnitudes and their errors, NaN = missing.
        An error of 0 or less counts as missing.

    Returns
    -------
    float32 (n, 19): `COLUMNS`. A missing value is 0 (the centre); a colour is missing when one
    of its bands is; the last five say 1 where a magnitude is missing. Rows of NaN (no photometry
    at all) become zeros throughout.

    >>> x = model_input(np.array([[[19.2, 17.8, 17.0, 16.6, np.nan], [0.1] * 5]]))
    >>> x[0, :5].tolist(), float(x[0, -1])
    ([0.0, 0.0, 0.0, 0.0, 0.0], 1.0)
    """
    phot = np.asarray(phot_n25, dtype=float)
    mag, err = phot[:, 0], np.where(phot[:, 1] > 0, phot[:, 1], np.nan)
    scaled = np.concatenate(
        [
            (mag - MAGNITUDE_CENTRE) / MAGNITUDE_SCALE,
            (mag[:, :-1] - mag[:, 1:] - COLOUR_CENTRE) / COLOUR_SCALE,
            (np.log10(err) - LOG_ERR_CENTRE) / LOG_ERR_SCALE,
            np.isnan(mag),
        ],
        axis=1,
    )
    scaled[np.isnan(mag).all(axis=1)] = 0
    return np.clip(np.nan_to_num(scaled, nan=0.0), -LIMIT, LIMIT).astype(np.float32)
